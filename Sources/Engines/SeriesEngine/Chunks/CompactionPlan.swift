/// Chunks of one group and file that are worth being made one.
struct CompactionPlan {
    let group: SourceGroup
    /// By generation.
    let chunks: [ChunkReference]

    var sampleCount: Int { chunks.reduce(0) { $0 + $1.sampleCount } }

    /// How much is done for a file.
    enum Care {
        /// Chunks are written again where that makes eight of them one, or a full one: a chunk that grows to its full size is written
        /// some three times on the way, not with every seal. Those that overlap, whose samples every question must merge, are
        /// made one when what came is a quarter of the result.
        case growing
        /// Whatever makes fewer chunks, or takes chunks apart that overlap in time.
        case thorough
    }

    /// Chunks that overlap in time; no other chunk of the group and file overlaps them.
    private struct Piece {
        var chunks: [ChunkReference]
        var lastTime: Int64
        /// Of the series that has most, how many samples.
        var longest = 0
        var samples = 0
        /// Samples of its greatest chunk.
        var greatest = 0
        var series: Set<UInt32> = []
        var isOverlapping = false

        mutating func settle() {
            var counts: [UInt32: Int] = [:]
            for chunk in chunks {
                for column in chunk.columns {
                    if counts[column.series] != nil { isOverlapping = true }
                    counts[column.series, default: 0] += column.count
                }
                samples += chunk.sampleCount
                greatest = max(greatest, chunk.sampleCount)
            }
            longest = counts.values.max() ?? 0
            series = Set(counts.keys)
        }
    }

    /// What is worth it in one file.
    ///
    /// - Parameter all: Every chunk of the group, by generation.
    static func all(of group: SourceGroup, _ all: [ChunkReference], in file: ChunkFile, _ care: Care)
        -> [CompactionPlan]
    {
        let own = all.filter { $0.file === file }
        guard own.count > 1 else { return [] }
        let runs = runs(pieces(own))
        return runs.indices.compactMap { index in
            let some = worth(runs[index], care, isFull: index < runs.count - 1)
            guard !some.isEmpty else { return nil }
            let chunks = some.flatMap(\.chunks).sorted { ($0.generation, $0.id) < ($1.generation, $1.id) }
            guard isAlone(chunks, all, file) else { return nil }
            return CompactionPlan(group: group, chunks: chunks)
        }
    }

    private static func pieces(_ chunks: [ChunkReference]) -> [Piece] {
        var result: [Piece] = []
        for chunk in chunks.sorted(by: { ($0.firstTime, $0.id) < ($1.firstTime, $1.id) }) {
            if let last = result.last, chunk.firstTime <= last.lastTime {
                result[result.count - 1].chunks.append(chunk)
                result[result.count - 1].lastTime = max(last.lastTime, chunk.lastTime)
            } else {
                result.append(Piece(chunks: [chunk], lastTime: chunk.lastTime))
            }
        }
        for index in result.indices { result[index].settle() }
        return result
    }

    /// Neighbours that fit into one chunk together.
    private static func runs(_ pieces: [Piece]) -> [[Piece]] {
        var result: [[Piece]] = []
        var longest = 0
        for piece in pieces {
            if result.isEmpty || longest + piece.longest > ChunkStore.samplesMax {
                result.append([piece])
                longest = piece.longest
            } else {
                result[result.count - 1].append(piece)
                longest += piece.longest
            }
        }
        return result
    }

    /// So many neighbours of like size are made one while others are still to come behind them.
    private static let neighboursMin = 8

    /// What of a run is to be made one: all, its end, or nothing.
    ///
    /// - Parameter isFull: Whether no other fits behind it.
    private static func worth(_ run: [Piece], _ care: Care, isFull: Bool) -> ArraySlice<Piece> {
        if care == .thorough { return makesFewer(run[...]) ? run[...] : [] }
        if isFull { return makesFewer(run[...]) && newShare(run[...]) >= 0.25 ? run[...] : [] }
        if let first = run.firstIndex(where: \.isOverlapping), newShare(run[first...]) >= 0.25 { return run[first...] }
        // The longest end of which no piece is so great that it would be written again for little.
        return run.indices.lazy.map { run[$0...] }.first {
            $0.count >= neighboursMin && newShare($0) >= 0.75 && makesFewer($0)
        } ?? []
    }

    /// Whether there are fewer chunks afterwards, or none that overlap.
    private static func makesFewer(_ run: ArraySlice<Piece>) -> Bool {
        let series = run.reduce(into: Set<UInt32>()) { $0.formUnion($1.series) }.count
        let slices = (run.reduce(0) { $0 + $1.longest } + ChunkStore.samplesMax - 1) / ChunkStore.samplesMax
        let least = slices * ((series + ChunkStore.seriesMax - 1) / ChunkStore.seriesMax)
        return run.reduce(0) { $0 + $1.chunks.count } > least || run.contains(where: \.isOverlapping)
    }

    /// Which part of the result comes to its greatest piece.
    private static func newShare(_ run: ArraySlice<Piece>) -> Double {
        let samples = run.reduce(0) { $0 + $1.samples }
        let greatest = run.map { $0.isOverlapping ? $0.greatest : $0.samples }.max() ?? 0
        return Double(samples - greatest) / Double(max(1, samples))
    }

    /// Whether the chunks may take one generation: no value of another file came between them.
    private static func isAlone(_ chunks: [ChunkReference], _ all: [ChunkReference], _ file: ChunkFile) -> Bool {
        let (first, last) = (chunks[0].generation, chunks[chunks.count - 1].generation)
        let series = Set(chunks.flatMap { $0.columns.map(\.series) })
        let (start, end) = (chunks.map(\.firstTime).min() ?? 0, chunks.map(\.lastTime).max() ?? 0)
        return !all.contains { other in
            other.file !== file && other.generation >= first && other.generation <= last
                && other.firstTime <= end && other.lastTime >= start
                && other.columns.contains { series.contains($0.series) }
        }
    }
}
