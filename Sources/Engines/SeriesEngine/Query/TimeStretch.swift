import VigilPorts

/// A stretch of time with the pieces of a group that lie in it; nothing outside of it overlaps them.
///
/// So a stretch with one chunk holds each time once, and what is known of the chunk is true of the stretch.
struct TimeStretch {
    var lastTime: Int64
    /// By generation.
    private(set) var chunks: [ChunkReference] = []
    /// In the order of arrival.
    private(set) var blocks: [OpenBlock] = []

    /// The stretches of a range (without `end`) in order of time.
    static func all(of snapshot: SeriesMemory.Snapshot, from start: Int64, to end: Int64) -> [TimeStretch] {
        var pieces: [(first: Int64, last: Int64, number: Int)] = []
        for (number, chunk) in snapshot.chunks.enumerated() where chunk.lastTime >= start && chunk.firstTime < end {
            pieces.append((chunk.firstTime, chunk.lastTime, number))
        }
        let chunkCount = snapshot.chunks.count
        for (number, block) in snapshot.blocks.enumerated()
        where block.count > 0 && block.lastTime >= start && block.firstTime < end {
            pieces.append((block.firstTime, block.lastTime, chunkCount + number))
        }
        pieces.sort { ($0.first, $0.number) < ($1.first, $1.number) }
        var result: [TimeStretch] = []
        var index = 0
        while index < pieces.count {
            var stretch = TimeStretch(lastTime: pieces[index].last)
            var numbers = [pieces[index].number]
            index += 1
            while index < pieces.count, pieces[index].first <= stretch.lastTime {
                stretch.lastTime = max(stretch.lastTime, pieces[index].last)
                numbers.append(pieces[index].number)
                index += 1
            }
            // What comes later in these lists came later.
            for number in numbers.sorted() {
                if number < chunkCount {
                    stretch.chunks.append(snapshot.chunks[number])
                } else {
                    stretch.blocks.append(snapshot.blocks[number - chunkCount])
                }
            }
            result.append(stretch)
        }
        return result
    }

    /// How many samples of a series lie in a range; a chunk that lies in it is not read.
    func count(
        of entry: SeriesEntry, from start: Int64, to end: Int64, _ source: ChunkSource
    ) throws(StoreError) -> Int {
        if blocks.isEmpty, chunks.count == 1 {
            guard let column = chunks[0].column(entry.number) else { return 0 }
            if column.firstTime >= start, column.lastTime < end { return column.count }
        }
        return try reader(entry, source).samples(from: start, to: end).samples.count
    }

    func reader(_ entry: SeriesEntry, _ source: ChunkSource) -> SeriesReader {
        SeriesReader(entry: entry, chunks: chunks, blocks: blocks, source: source)
    }
}
