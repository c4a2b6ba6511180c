import Synchronization
import VigilPorts

/// All files with what is kept of readings that went: one for each stretch of 360 days.
final class RollupStore: Sendable {
    private struct State {
        var files: [Int64: RollupFile] = [:]
        var unreadable: [UnreadableFile] = []
        var lastIdentifier: Int64 = 0
    }

    private let folder: String
    private let cacheBytes: Int
    private let state = Mutex(State())

    /// The stretch of time of one file.
    private static let length: Int64 = 360 * 86_400_000_000
    /// Rollups with fewer buckets than this are made one with what comes next.
    static let smallMax = 1 << 11

    init(folder: String, names: [String], cacheBytes: Int) throws(StoreError) {
        self.folder = folder
        self.cacheBytes = cacheBytes
        for name in names {
            guard let period = FileNames.rollupPeriod(name) else { continue }
            do throws(StoreError) {
                let file = try RollupFile(folder: folder, period: period, cacheBytes: cacheBytes)
                state.withLock { $0.files[period] = file }
            } catch  where error.code == .damaged {
                leaveOut(period, error)
            }
        }
    }

    /// The files that could not be read at the start.
    var unreadable: [UnreadableFile] { state.withLock { $0.unreadable } }

    private func leaveOut(_ period: Int64, _ error: StoreError) {
        let stretch = (start: period * Self.length, end: (period + 1) * Self.length)
        state.withLock { $0.unreadable.append(UnreadableFile(stretch: stretch, error: error)) }
    }

    var files: [RollupFile] { state.withLock { $0.files.values.sorted { $0.period < $1.period } } }

    /// Everything that the files hold; a file that cannot be read is left out.
    func load() throws(StoreError) -> [RollupReference] {
        var all: [RollupReference] = []
        for file in files {
            do throws(StoreError) {
                all += try file.references()
            } catch  where error.code == .damaged {
                leaveOut(file.period, error)
                state.withLock { $0.files[file.period] = nil }
                file.close()
            }
        }
        let last = all.map(\.id).max() ?? 0
        state.withLock { $0.lastIdentifier = max($0.lastIdentifier, last) }
        return all
    }

    /// The file for readings of a chunk file that begins at this time.
    func file(for start: Int64) throws(StoreError) -> RollupFile {
        let (quotient, rest) = start.quotientAndRemainder(dividingBy: Self.length)
        let period = rest < 0 ? quotient - 1 : quotient
        if let file = state.withLock({ $0.files[period] }) { return file }
        let file = try RollupFile(folder: folder, period: period, cacheBytes: cacheBytes)
        state.withLock { $0.files[period] = file }
        return file
    }

    func nextIdentifier() -> Int64 {
        state.withLock {
            $0.lastIdentifier += 1
            return $0.lastIdentifier
        }
    }

    /// A rollup of one group, ready to be written.
    func new(
        _ columns: [UInt32: [RollupBucket]], _ resolution: RollupResolution, group: UInt32, in file: RollupFile
    ) -> RollupChange.New? {
        let some = columns.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        guard !some.isEmpty else { return nil }
        let reference = RollupReference(
            file: file, id: nextIdentifier(), group: group, resolution: resolution,
            firstTime: some.compactMap(\.value.first?.firstTime).min() ?? 0,
            lastTime: some.flatMap { $0.value.map(\.lastTime) }.max() ?? 0,
            bucketCount: some.map(\.value.count).max() ?? 0, series: some.map(\.key))
        return RollupChange.New(
            reference: reference, bytes: Rollup.encode(kept: some.map { ($0.key, $0.value) }, resolution))
    }

    func close() {
        for file in files { file.close() }
    }
}
