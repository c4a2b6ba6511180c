import VigilModel
import VigilPorts

/// Makes chunks of one group and file into as few as there can be; of two values of one time the later wins.
///
/// Goes through the chunks in order of time and writes what no later one can reach, so that it holds the samples of a few
/// chunks only, however many there are.
struct ChunkMerger {
    let group: SourceGroup
    /// By generation.
    let chunks: [ChunkReference]
    let store: ChunkStore
    /// Whether nothing is to come that the result would be made one with.
    let isLast: Bool

    /// What takes the place of the chunks; with the highest of their generations.
    func merged() throws(StoreError) -> [ChunkFile.NewChunk] {
        guard let last = chunks.last else { return [] }
        let numbers = Set(chunks.flatMap { $0.columns.map(\.series) }).sorted()
        var result: [ChunkFile.NewChunk] = []
        for start in stride(from: 0, to: numbers.count, by: ChunkStore.seriesMax) {
            let block = Array(numbers[start..<min(start + ChunkStore.seriesMax, numbers.count)])
            try merge(block) { columns in
                let known = columns.map { column in
                    ChunkRewriting.column(column.0, column.1) { arrival(of: column.0, at: $0) }
                }
                result.append(
                    ChunkFile.NewChunk(
                        columns, known: known, file: last.file, id: store.nextIdentifier(), group: group.number,
                        generation: last.generation, isLast: isLast))
            }
        }
        return result
    }

    /// The arrival of an older sample is not kept in chunks: its own time is the best that is known.
    private func arrival(of series: UInt32, at time: Int64) -> Int64 {
        chunks.reversed().lazy.compactMap { $0.column(series) }.first { $0.lastTime == time }?.arrival ?? time
    }

    private func merge(
        _ block: [UInt32], _ write: ([(series: UInt32, samples: RawSeries)]) -> Void
    ) throws(StoreError) {
        let wanted = Set(block)
        let order = chunks.enumerated()
            .filter { $0.element.columns.contains { wanted.contains($0.series) } }
            .sorted { ($0.element.firstTime, $0.offset) < ($1.element.firstTime, $1.offset) }
        var pending: [UInt32: RawSeries] = [:]
        for (position, (rank, chunk)) in order.enumerated() {
            let content = try ChunkSource().content(chunk)
            for column in chunk.columns where wanted.contains(column.series) {
                let samples: RawSeries?
                do {
                    samples = try content.samples(column.series)
                } catch {
                    throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
                }
                guard let samples else { continue }
                pending[column.series, default: RawSeries()].lay(samples, rank: UInt32(rank))
            }
            let reach = position + 1 < order.count ? order[position + 1].element.firstTime : Int64.max
            // Full chunks as far as nothing comes in between any more; at the end all that is left.
            while let cut = Self.cut(pending, before: reach) { write(Self.take(&pending, before: cut, block)) }
        }
        if pending.values.contains(where: { !$0.samples.isEmpty }) {
            write(Self.take(&pending, before: nil, block))
        }
    }

    /// Where a full chunk ends whose samples lie before `reach`; `nil` when there are too few.
    private static func cut(_ pending: [UInt32: RawSeries], before reach: Int64) -> Int64? {
        let full = pending.values.filter { $0.samples.count > ChunkStore.samplesMax }
        guard let cut = full.map({ $0.samples[ChunkStore.samplesMax].time }).min(), cut <= reach else { return nil }
        return cut
    }

    private static func take(
        _ pending: inout [UInt32: RawSeries], before cut: Int64?, _ block: [UInt32]
    ) -> [(series: UInt32, samples: RawSeries)] {
        var result: [(series: UInt32, samples: RawSeries)] = []
        for number in block {
            guard var rest = pending[number] else { continue }
            let taken = rest.take(before: cut)
            pending[number] = rest
            if !taken.samples.isEmpty { result.append((number, taken)) }
        }
        return result
    }
}

extension RawSeries {
    /// Lays samples of another chunk over these; of two with one time that of the higher rank stays.
    fileprivate mutating func lay(_ other: RawSeries, rank: UInt32) {
        guard let first = other.samples.first?.time else { return }
        let isBehind = samples.last.map { $0.time < first } ?? true
        add(other)
        for index in (samples.count - other.samples.count)..<samples.count { samples[index].order = rank }
        if isBehind { return }
        samples.sort { ($0.time, $0.order) < ($1.time, $1.order) }
        var kept = 0
        for index in samples.indices {
            if index + 1 < samples.count, samples[index + 1].time == samples[index].time { continue }
            samples[kept] = samples[index]
            kept += 1
        }
        samples.removeLast(samples.count - kept)
    }

    /// Takes the samples before a time out, or all, each part with the texts that it needs.
    fileprivate mutating func take(before cut: Int64?) -> RawSeries {
        let count = cut.map { cut in samples.firstIndex { $0.time >= cut } ?? samples.count } ?? samples.count
        let taken = RawSeries(samples: Array(samples[..<count]), texts: texts).withOwnTexts()
        self = RawSeries(samples: Array(samples[count...]), texts: texts).withOwnTexts()
        return taken
    }

    /// The same samples with those texts only that they need.
    private func withOwnTexts() -> RawSeries {
        if texts.isEmpty { return self }
        var result = RawSeries(samples: samples)
        var places: [UInt64: UInt64] = [:]
        for index in samples.indices where samples[index].kind >= ReadingValue.Kind.text.rawValue {
            let old = samples[index].bits
            if let place = places[old] {
                result.samples[index].bits = place
            } else {
                places[old] = UInt64(result.texts.count)
                result.samples[index].bits = UInt64(result.texts.count)
                result.texts.append(texts[Int(old)])
            }
        }
        return result
    }
}
