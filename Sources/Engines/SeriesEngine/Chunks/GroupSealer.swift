import VigilModel
import VigilPorts

/// Makes chunks of the rows of one group.
struct GroupSealer {
    let group: SourceGroup
    let series: [SeriesEntry]
    let frozen: [OpenBlock]
    let chunks: [ChunkReference]
    let store: ChunkStore
    /// How many samples of a chunk may be written again however few come.
    let mergingSamplesMax: Int

    /// What changes in one file.
    struct Change {
        var removed: [ChunkReference] = []
        var added: [ChunkFile.NewChunk] = []
    }

    private struct Column {
        let entry: SeriesEntry
        var samples: RawSeries
        let arrivals: [Int64: Int64]
    }

    /// The changes of each file.
    func changes() throws(StoreError) -> [ChunkPlace: Change] {
        var result: [ChunkPlace: Change] = [:]
        var parts: [ChunkPlace: [(SeriesEntry, RawSeries)]] = [:]
        for entry in series {
            let whole = try SeriesReader(entry: entry, chunks: [], blocks: frozen).samples(from: .min, to: .max)
            if whole.samples.isEmpty { continue }
            for (place, part) in store.parted(whole, store.retention(of: entry).bounds) {
                parts[place, default: []].append((entry, part))
            }
        }
        for (place, columns) in parts { result[place] = try change(place, columns) }
        return result
    }

    private func change(_ place: ChunkPlace, _ fresh: [(SeriesEntry, RawSeries)]) throws(StoreError) -> Change {
        var change = Change()
        var columns = fresh
        let file = try store.file(place)
        let newest = chunks.last { $0.file === file }
        if let newest, isWorthMerging(newest, fresh) {
            columns = try merged(newest, fresh)
            change.removed.append(newest)
        }
        let generation = store.nextGeneration()
        for slice in Self.slices(columns) {
            for start in stride(from: 0, to: slice.count, by: ChunkStore.seriesMax) {
                let some = Array(slice[start..<min(start + ChunkStore.seriesMax, slice.count)])
                change.added.append(chunk(some, file, generation, replaced: change.removed))
            }
        }
        return change
    }

    /// Whether the newest chunk is made one with what comes: where it is small, and little beside that, or little at all.
    ///
    /// Otherwise it would be written again with every seal; compaction takes many of them at once.
    private func isWorthMerging(_ newest: ChunkReference, _ fresh: [(SeriesEntry, RawSeries)]) -> Bool {
        guard series.count <= ChunkStore.seriesMax, newest.columns.allSatisfy({ $0.count < store.smallMax }) else {
            return false
        }
        let count = fresh.reduce(0) { $0 + $1.1.samples.count }
        return newest.sampleCount <= max(count / 4, mergingSamplesMax)
    }

    /// The samples of a small chunk with newer ones laid over them.
    private func merged(
        _ chunk: ChunkReference, _ fresh: [(SeriesEntry, RawSeries)]
    ) throws(StoreError) -> [(SeriesEntry, RawSeries)] {
        guard let old = try chunk.file.samples(of: chunk.id) else {
            throw StoreError(.internalFault, "a chunk is gone")
        }
        var result: [(SeriesEntry, RawSeries)] = []
        let newer = Dictionary(fresh.map { ($0.0.number, $0.1) }, uniquingKeysWith: { $1 })
        for entry in series {
            switch (old[entry.number], newer[entry.number]) {
            case (nil, nil): continue
            case (let one?, nil), (nil, let one?): result.append((entry, one))
            case (var one?, let two?):
                one.add(two)
                one.settle()
                result.append((entry, one))
            }
        }
        return result
    }

    /// Cuts columns into stretches of time in which none has too many samples.
    private static func slices(_ columns: [(SeriesEntry, RawSeries)]) -> [[(SeriesEntry, RawSeries)]] {
        guard let longest = columns.max(by: { $0.1.samples.count < $1.1.samples.count })?.1.samples,
            longest.count > ChunkStore.samplesMax
        else { return [columns] }
        let cuts = stride(from: ChunkStore.samplesMax, to: longest.count, by: ChunkStore.samplesMax).map {
            longest[$0].time
        }
        var result: [[(SeriesEntry, RawSeries)]] = []
        for index in 0...cuts.count {
            let start = index == 0 ? Int64.min : cuts[index - 1]
            let end = index == cuts.count ? Int64.max : cuts[index]
            let slice = columns.compactMap { entry, series -> (SeriesEntry, RawSeries)? in
                let part = series.samples.filter { $0.time >= start && $0.time < end }
                return part.isEmpty ? nil : (entry, RawSeries(samples: part, texts: series.texts))
            }
            if !slice.isEmpty { result.append(slice) }
        }
        return result
    }

    private func chunk(
        _ columns: [(SeriesEntry, RawSeries)], _ file: ChunkFile, _ generation: Int64, replaced: [ChunkReference]
    ) -> ChunkFile.NewChunk {
        let open = NewestSamples(of: columns.map(\.0), blocks: frozen, chunks: []).arrivals
        let known = columns.indices.map { place in
            let (entry, series) = columns[place]
            return ChunkRewriting.column(entry.number, series) { last in
                if let open = open[place], open.time == last { return open.arrival }
                return replaced.compactMap { $0.column(entry.number) }.first { $0.lastTime == last }?.arrival ?? last
            }
        }
        return ChunkFile.NewChunk(
            columns.map { ($0.0.number, $0.1) }, known: known, file: file, id: store.nextIdentifier(),
            group: group.number, generation: generation)
    }
}

/// Makes chunks anew without what was removed.
enum ChunkRewriting {
    /// What a chunk's directory says of a series; `arrival` is asked for the time of the newest sample.
    static func column(_ number: UInt32, _ series: RawSeries, arrival: (Int64) -> Int64) -> ChunkColumn {
        let samples = series.samples
        let last = samples[samples.count - 1]
        return ChunkColumn(
            series: number, count: samples.count, firstTime: samples[0].time, lastTime: last.time,
            last: series.sample(last), arrival: arrival(last.time), statistics: ChunkStatistics.of(series))
    }

    /// The chunk without the samples of `series` in a range; `nil` when nothing is left.
    static func without(
        _ chunk: ChunkReference, _ series: Set<UInt32>, from start: Int64, to end: Int64, identifier: Int64
    ) throws(StoreError) -> ChunkFile.NewChunk? {
        let isAll = chunk.columns.allSatisfy {
            series.contains($0.series) && $0.firstTime >= start && $0.lastTime < end
        }
        if isAll { return nil }
        guard var all = try chunk.file.samples(of: chunk.id) else { return nil }
        for number in series { all[number]?.samples.removeAll { $0.time >= start && $0.time < end } }
        let rest = all.filter { !$0.value.samples.isEmpty }.sorted { $0.key < $1.key }
        guard !rest.isEmpty else { return nil }
        let columns = rest.map { number, series in
            column(number, series) { last in
                // The arrival of an older sample is not kept in chunks: its own time is the best that is known.
                chunk.column(number).map { $0.lastTime == last ? $0.arrival : last } ?? last
            }
        }
        return ChunkFile.NewChunk(
            rest.map { ($0.key, $0.value) }, known: columns, file: chunk.file, id: identifier, group: chunk.group,
            generation: chunk.generation)
    }
}
