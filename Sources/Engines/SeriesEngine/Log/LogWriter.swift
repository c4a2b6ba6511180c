import Foundation
import VigilPorts

/// The one writer of the log: gathers records, writes and syncs them together, then makes them visible.
///
/// Records become visible in the order of the log, and only after they are synced, so what a query saw is there after
/// a crash too. Everything that must happen between two records runs as a barrier on the same thread.
final class LogWriter: @unchecked Sendable {
    // Unchecked: `queue`, `pendingBytes`, `isClosing` and `failure` are guarded by `condition`; `file` and what
    // belongs to it is touched by the log's thread only.
    typealias Completion = @Sendable (Result<Written, StoreError>) -> Void

    /// Where a record lies and what its application answered.
    struct Written: Sendable {
        let position: LogPosition
        let count: Int
    }

    /// Makes a synced record visible.
    typealias Apply = @Sendable (RecordKind, Int64, RecordBuffer) -> Int

    private enum Item {
        case record(RecordKind, RecordBuffer, Completion?)
        case barrier(@Sendable () -> Void)
    }

    private let files: any FileSystem
    private let apply: Apply
    private let pendingBytesMax: Int
    private let condition = NSCondition()
    private var queue: [Item] = []
    private var pendingBytes = 0
    private var isClosing = false
    private var failure: StoreError?
    private var ended: [@Sendable () -> Void] = []
    private var hasEnded = false

    private var file: any File
    private(set) var fileNumber: UInt64
    private var offset: Int
    private var position: Int64
    private var synced: Int64
    private var staging = RecordBuffer(capacity: 1 << 16)
    /// Definitions whose write failed: later records may rely on them, so they go first next time.
    private var unwritten: [(RecordKind, RecordBuffer)] = []
    private static let commitBytesMax = 32 << 20

    init(
        files: any FileSystem, end: LogEnd, pendingBytesMax: Int, failure: StoreError?, apply: @escaping Apply
    ) throws(StoreError) {
        self.files = files
        self.pendingBytesMax = pendingBytesMax
        self.apply = apply
        self.failure = failure
        file = try files.open(FileNames.log(end.number))
        fileNumber = end.number
        offset = end.offset
        position = end.position
        synced = end.position
    }

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "series-log"
        thread.start()
    }

    // MARK: - Any thread

    /// Hands a record over.
    ///
    /// `completion` runs on the log's thread when the record is visible, or was not stored.  - Throws:
    /// `unavailable` when the log is closed or its queue is full, or what made the log read-only.
    func enqueue(_ kind: RecordKind, _ buffer: RecordBuffer, completion: Completion? = nil) throws(StoreError) {
        buffer.pad()
        guard buffer.payload.count <= RecordHeader.payloadBytesMax else {
            throw StoreError(.limit, "a batch is too big for one record of the log")
        }
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
        if isClosing { throw StoreError(.unavailable, "the series store is closed") }
        // Definitions are always taken: what waits for them was already admitted.
        if completion != nil, pendingBytes > 0, pendingBytes + buffer.count > pendingBytesMax {
            throw StoreError(.unavailable, "too many bytes wait to be written")
        }
        pendingBytes += buffer.count
        queue.append(.record(kind, buffer, completion))
        condition.signal()
    }

    /// Runs `body` on the log's thread, after everything that was handed over before.
    ///
    /// - Throws: `unavailable` when the log is closed.
    func enqueueBarrier(_ body: @escaping @Sendable () -> Void) throws(StoreError) {
        condition.lock()
        defer { condition.unlock() }
        if isClosing { throw StoreError(.unavailable, "the series store is closed") }
        queue.append(.barrier(body))
        condition.signal()
    }

    var lastPosition: LogPosition {
        condition.lock()
        defer { condition.unlock() }
        return LogPosition(rawValue: visiblePosition)
    }
    private var visiblePosition: Int64 = 0

    /// The reason why nothing more is taken, if there is one.
    func check() throws(StoreError) {
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
        if isClosing { throw StoreError(.unavailable, "the series store is closed") }
    }

    /// Whether questions may still be asked.
    func checkOpen() throws(StoreError) {
        condition.lock()
        defer { condition.unlock() }
        if isClosing { throw StoreError(.unavailable, "the series store is closed") }
    }

    /// Lets the thread end after what waits is written.
    func abandon() {
        condition.lock()
        isClosing = true
        condition.signal()
        condition.unlock()
    }

    /// Writes what waits, and ends the thread.
    func close() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            condition.lock()
            isClosing = true
            let now = hasEnded
            if !now { ended.append { continuation.resume() } }
            condition.signal()
            condition.unlock()
            if now { continuation.resume() }
        }
    }

    // MARK: - The log's thread

    private func run() {
        publish(position)
        while let items = take() {
            var records: [(RecordKind, RecordBuffer, Completion?)] = []
            for item in items {
                switch item {
                case .record(let kind, let buffer, let completion): records.append((kind, buffer, completion))
                case .barrier(let body):
                    commit(records)
                    records = []
                    body()
                }
            }
            commit(records)
        }
        condition.lock()
        hasEnded = true
        let waiting = ended
        ended = []
        condition.unlock()
        for resume in waiting { resume() }
    }

    /// The next items, or `nil` when the log is closed and nothing waits.
    private func take() -> [Item]? {
        condition.lock()
        defer { condition.unlock() }
        if queue.isEmpty { writeMark() }
        while queue.isEmpty {
            if isClosing { return nil }
            condition.wait()
        }
        var bytes = 0
        var count = 0
        while count < queue.count, bytes < Self.commitBytesMax {
            if case .record(_, let buffer, _) = queue[count] { bytes += buffer.count }
            count += 1
        }
        let items = Array(queue[..<count])
        queue.removeFirst(count)
        pendingBytes -= bytes
        return items
    }

    private func publish(_ position: Int64) {
        condition.lock()
        visiblePosition = position
        condition.unlock()
    }

    private func commit(_ records: [(RecordKind, RecordBuffer, Completion?)]) {
        let all = unwritten.map { ($0.0, $0.1, nil) } + records
        guard !all.isEmpty else { return }
        do throws(StoreError) {
            try write(all)
        } catch {
            for (kind, buffer, completion) in records {
                if let completion { completion(.failure(error)) } else { unwritten.append((kind, buffer)) }
            }
            return
        }
        unwritten = []
        var visible = synced - Int64(all.count)
        for (kind, buffer, completion) in all {
            visible += 1
            let count = apply(kind, visible, buffer)
            completion?(.success(Written(position: LogPosition(rawValue: visible), count: count)))
        }
        publish(synced)
    }

    /// Writes and syncs `records`; when that fails, the file ends where it ended before.
    private func write(_ records: [(RecordKind, RecordBuffer, Completion?)]) throws(StoreError) {
        try currentFailure()
        staging.removeAll()
        var written = 0
        for (index, record) in records.enumerated() {
            let header = RecordHeader(
                length: record.1.payload.count, kind: record.0.rawValue, position: position + Int64(index) + 1,
                synced: synced, payloadChecksum: Checksum.of(record.1.payload))
            header.write(to: record.1.bytes)
            written += record.1.count
            // One record alone is written from where it lies.
            if records.count == 1 { break }
            staging.extend(by: record.1.count).copyMemory(from: record.1.bytes, byteCount: record.1.count)
        }
        do throws(StoreError) {
            try file.write(records.count == 1 ? records[0].1.whole : staging.payload, at: offset)
        } catch {
            try cut(after: error)
            throw error
        }
        do throws(StoreError) {
            try file.sync()
        } catch {
            // After a failed sync nobody knows what is on the disk, and a second one would lie.
            fail(StoreError(.readOnly, "the log could not be synced; the store takes no more writes"))
            try? cut(after: error)
            throw error
        }
        offset += written
        position += Int64(records.count)
        synced = position
        setWritten(offset)
    }

    /// Takes back a write that failed half-way.
    private func cut(after error: StoreError) throws(StoreError) {
        do throws(StoreError) {
            try file.truncate(to: offset)
        } catch {
            fail(StoreError(.readOnly, "the log could not be cut after a failed write; the store takes no more writes"))
            throw error
        }
    }

    /// Tells a later start that everything before was synced.
    ///
    /// Not synced itself: a missing mark costs nothing.
    private func writeMark() {
        guard failure == nil, marked != offset else { return }
        marked = offset
        let mark = RecordBuffer(capacity: 0)
        RecordHeader(
            length: 0, kind: RecordKind.mark.rawValue, position: position, synced: synced,
            payloadChecksum: Checksum.of(UnsafeRawBufferPointer(start: nil, count: 0))
        ).write(to: mark.bytes)
        try? file.write(mark.whole, at: offset)
    }
    private var marked = 0

    /// Goes on in a new file and returns its number and the position of the last record before it.
    ///
    /// Call it from a barrier only.
    func rotate(created: Int64) -> Result<(number: UInt64, position: Int64), StoreError> {
        do throws(StoreError) {
            try currentFailure()
            guard unwritten.isEmpty else { throw StoreError(.unavailable, "definitions wait to be written") }
            let number = fileNumber + 1
            let header = LogHeader(number: number, firstPosition: position + 1, created: created)
            try LogScanner.makeFile(files, header)
            file = try files.open(FileNames.log(number))
            fileNumber = number
            offset = LogHeader.size
            marked = 0
            setWritten(0)
            return .success((number, position))
        } catch {
            return .failure(error)
        }
    }

    /// Bytes of batches that wait for the disk.
    var waitingBytes: Int {
        condition.lock()
        defer { condition.unlock() }
        return pendingBytes
    }

    /// Bytes in the present file.
    var writtenBytes: Int {
        condition.lock()
        defer { condition.unlock() }
        return written
    }
    private var written = 0

    private func setWritten(_ bytes: Int) {
        condition.lock()
        defer { condition.unlock() }
        written = bytes
    }

    private func currentFailure() throws(StoreError) {
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
    }

    private func fail(_ error: StoreError) {
        condition.lock()
        defer { condition.unlock() }
        if failure == nil { failure = error }
    }
}
