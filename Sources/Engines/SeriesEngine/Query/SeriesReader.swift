import VigilModel
import VigilPorts

/// A sample as the engine handles it: the value's bits, whose meaning the kind says.
struct RawSample {
    var time: Int64
    /// The bit pattern of a float, an integer, 0 or 1, or the number of a text.
    var bits: UInt64
    /// Which of two samples with one time came later.
    var order: UInt32
    var kind: UInt8
    var quality: UInt8

    /// `nil` for text and objects.
    @inline(__always)
    var number: Double? { Self.number(bits, kind) }

    @inline(__always)
    static func number(_ bits: UInt64, _ kind: UInt8) -> Double? {
        switch kind {
        case ReadingValue.Kind.float.rawValue: Double(bitPattern: bits)
        case ReadingValue.Kind.integer.rawValue: Double(Int64(bitPattern: bits))
        case ReadingValue.Kind.boolean.rawValue: bits == 0 ? 0 : 1
        default: nil
        }
    }
}

/// Samples of one series in order of time, each time once.
struct RawSeries {
    var samples: [RawSample] = []
    var texts: [String] = []

    /// Adds samples that came later.
    mutating func add(_ other: RawSeries) {
        let base = UInt64(texts.count)
        texts += other.texts
        for sample in other.samples {
            var moved = sample
            moved.order = UInt32(truncatingIfNeeded: samples.count)
            if moved.kind >= ReadingValue.Kind.text.rawValue { moved.bits += base }
            samples.append(moved)
        }
    }

    /// Sorts by time and keeps the last that came of each time.
    mutating func settle() {
        if !samples.withUnsafeMutableBufferPointer(Self.insertionSorted) {
            samples.sort { ($0.time, $0.order) < ($1.time, $1.order) }
        }
        var kept = 0
        for index in samples.indices {
            if index + 1 < samples.count, samples[index + 1].time == samples[index].time { continue }
            samples[kept] = samples[index]
            kept += 1
        }
        samples.removeLast(samples.count - kept)
    }

    /// Puts samples that are nearly in order into it: several senders overtake each other by a few readings.
    ///
    /// Returns false, with the samples in some order, when there is more to move than a sort would.
    private static func insertionSorted(_ samples: inout UnsafeMutableBufferPointer<RawSample>) -> Bool {
        var moves = 0
        let movesMax = samples.count * 4
        for index in samples.indices.dropFirst() where samples[index].time < samples[index - 1].time {
            let sample = samples[index]
            var place = index
            while place > 0, samples[place - 1].time > sample.time {
                samples[place] = samples[place - 1]
                place -= 1
                moves += 1
            }
            samples[place] = sample
            if moves > movesMax { return false }
        }
        return true
    }

    func value(_ sample: RawSample) -> ReadingValue {
        switch ReadingValue.Kind(rawValue: sample.kind) {
        case .integer: .integer(Int64(bitPattern: sample.bits))
        case .boolean: .boolean(sample.bits != 0)
        case .text: .text(texts[Int(sample.bits)])
        case .object: .object(texts[Int(sample.bits)])
        case .float, nil: .float(Double(bitPattern: sample.bits))
        }
    }

    func sample(_ raw: RawSample) -> Sample {
        Sample(
            time: Timestamp(microseconds: raw.time), value: value(raw), quality: Quality(rawValue: raw.quality))
    }
}

/// Reads one series out of pieces that lie in the order in which they came: chunks by generation, then rows.
struct SeriesReader {
    let entry: SeriesEntry
    /// By generation.
    var chunks: [ChunkReference] = []
    let blocks: [OpenBlock]
    var source = ChunkSource()

    /// The samples of a range (without `end`) in order of time; of several with one time, the last that came.
    ///
    /// - Throws: `contention` when a chunk was made anew meanwhile: take a new snapshot then.
    func samples(from start: Int64, to end: Int64) throws(StoreError) -> RawSeries {
        var result = RawSeries()
        var isSorted = true
        for chunk in chunks {
            guard let column = chunk.column(entry.number), column.lastTime >= start, column.firstTime < end else {
                continue
            }
            var part = try Self.part(source, chunk, entry.number)
            if start > column.firstTime || end <= column.lastTime {
                part.samples.removeAll { $0.time < start || $0.time >= end }
            }
            if let last = result.samples.last?.time, let first = part.samples.first?.time, first <= last {
                isSorted = false
            }
            // What is behind came later.
            result.add(part)
        }
        for block in blocks where block.count > 0 && block.lastTime >= start && block.firstTime < end {
            let columns = block.columns(of: entry)
            if columns.isEmpty { continue }
            if let last = result.samples.last?.time, block.firstTime <= last { isSorted = false }
            if !block.isSorted || columns.count > 1 { isSorted = false }
            read(block, columns, from: start, to: end, into: &result)
        }
        if !isSorted { result.settle() }
        return result
    }

    private static func part(
        _ source: ChunkSource, _ chunk: ChunkReference, _ series: UInt32
    ) throws(StoreError) -> RawSeries {
        let content = try source.content(chunk)
        do {
            return try content.samples(series) ?? RawSeries()
        } catch {
            throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
        }
    }

    private func read(
        _ block: OpenBlock, _ columns: [Int], from start: Int64, to end: Int64, into result: inout RawSeries
    ) {
        let textBase = result.texts.count
        if columns.contains(where: { block.layout.columns[$0].kind.rawValue >= ReadingValue.Kind.text.rawValue }) {
            result.texts += block.texts
        }
        for row in 0..<block.count {
            let time = block.time(row)
            guard time >= start, time < end else { continue }
            for column in columns where block.isPresent(row, column) {
                let kind = block.layout.columns[column].kind.rawValue
                var bits = block.bits(row, column)
                if kind >= ReadingValue.Kind.text.rawValue { bits += UInt64(textBase) }
                result.samples.append(
                    RawSample(
                        time: time, bits: bits, order: UInt32(truncatingIfNeeded: result.samples.count), kind: kind,
                        quality: block.quality(row, column)))
            }
        }
    }

    /// Whether the series has a sample in a range.
    func hasSample(from start: Int64, to end: Int64) throws(StoreError) -> Bool {
        for chunk in chunks {
            guard let column = chunk.column(entry.number) else { continue }
            if (start..<end).contains(column.firstTime) || (start..<end).contains(column.lastTime) { return true }
            if column.firstTime < start, column.lastTime >= end {
                let inside = SeriesReader(entry: entry, chunks: [chunk], blocks: [], source: source)
                if try !inside.samples(from: start, to: end).samples.isEmpty { return true }
            }
        }
        for block in blocks where block.count > 0 && block.lastTime >= start && block.firstTime < end {
            if block.hasSample(ofColumns: block.columns(of: entry), from: start, to: end) { return true }
        }
        return false
    }

    /// The newest sample with the arrival of its row.
    ///
    /// `chunks` need only be those that hold the newest sample of a series.
    func latest() -> LatestSample? {
        var found: LatestSample?
        NewestSamples(of: [entry], blocks: blocks, chunks: chunks).forEach { found = $0 }
        return found
    }
}

extension OpenBlock {
    func columns(of entry: SeriesEntry) -> [Int] {
        layout.columns.indices.filter { layout.columns[$0].series === entry }
    }
}
