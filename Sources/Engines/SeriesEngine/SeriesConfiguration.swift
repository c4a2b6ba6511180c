/// The limits of a ``SeriesEngine``.
package struct SeriesConfiguration: Sendable {
    /// Bytes of batches that may wait for the disk; an append past it throws `unavailable`.
    package var pendingBytesMax = 256 << 20
    /// Samples that one question may hand out when it names no limit of its own.
    package var samplesMax = 100_000_000
    /// Windows that one question may make, over all series.
    package var windowsMax = 10_000_000
    /// Tasks that answer one question side by side.
    package var questionTasksMax = 2
    /// Sources that a question must be about before it is parted.
    package var parallelGroupsMin = 8
    /// Columns of one table of a batch.
    package var columnsMax = 4096
    /// When the log has grown by so much, rows are made into chunks and the log is cut.
    package var logBytesMax = 64 << 20
    /// When open rows take so much memory, they are made into chunks; at twice as much, appends wait for that.
    package var memoryBytesMax = 128 << 20
    /// While that is done so much may gather; an append past it throws `unavailable`.
    var memoryBytesLimit: Int { memoryBytesMax + max(memoryBytesMax, 32 << 20) }
    /// Which stretch of time one chunk file holds.
    package var periodDays = 30
    var placement: ChunkPlacement { ChunkPlacement(standardLength: Int64(periodDays) * 86_400_000_000) }
    /// A newest chunk with fewer samples per series than this is made one with what comes next.
    package var smallChunkSamplesMax = 1 << 12
    /// Samples of newest chunks that a seal writes again, over all sources, where others did not bring four times as many.
    package var mergingSamplesMax = 1 << 18
    /// Samples that one turn of compaction in the background writes again at most.
    package var compactionSamplesMax = 16 << 20
    /// Samples that compaction writes again before others get their turn at the files.
    package var compactionStepSamplesMax = 1 << 20
    /// Memory for chunks that questions have read, with what they decoded of them.
    package var keptContentBytesMax = 64 << 20
    /// Memory for pages of each chunk file.
    package var fileCacheBytes = 1 << 20

    /// The folder of the warm tier; `nil`: `warm` in the store's own.
    package var warmFolder: String?
    /// The folder of the archive; `nil`: `archive` in the store's own.
    package var archiveFolder: String?

    package init() {}
}
