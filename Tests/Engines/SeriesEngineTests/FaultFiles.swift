import Synchronization
import VigilPorts

@testable import SeriesEngine

/// The files of a log on a disk whose power can be cut, or which is full, at any operation.
///
/// Database files beside them lie on the real disk, where SQLite has a seam of its own.
final class FaultFiles: FileSystem {
    enum Fault: Sendable {
        /// From this operation on nothing happens any more.
        case cut(at: Int)
        /// This operation writes half of its bytes, and the disk is full; the next one has room again.
        case full(at: Int)
    }

    struct Content: Sendable {
        /// What the last sync made durable.
        var durable: [UInt8] = []
        var present: [UInt8] = []
        var unsynced: [(offset: Int, bytes: [UInt8])] = []
        var isNameDurable = false
    }

    struct State: Sendable {
        var files: [String: Content] = [:]
        /// Removed, but not for good before the folder is synced.
        var removed: [String: Content] = [:]
        var operations = 0
    }

    let folder: String
    let fault: Fault?
    let state: Mutex<State>

    init(folder: String, files: [String: Content] = [:], fault: Fault? = nil) {
        self.folder = folder
        self.fault = fault
        state = Mutex(State(files: files))
    }

    /// Counts an operation; throws when the power is gone, says whether the disk is full.
    func step() throws(StoreError) -> Bool {
        let number = state.withLock { state in
            state.operations += 1
            return state.operations
        }
        switch fault {
        case .cut(let at)? where number >= at: throw StoreError(.unavailable, "the power is gone")
        case .full(let at)? where number == at: return true
        default: return false
        }
    }

    var operations: Int { state.withLock { $0.operations } }

    /// What is on the disk after the power was cut: of what was not synced, each write is there, lost or torn.
    func afterCut(_ random: inout SeededGenerator) -> [String: Content] {
        let state = state.withLock { $0 }
        var result: [String: Content] = [:]
        for (name, content) in state.files.sorted(by: { $0.key < $1.key }) {
            if !content.isNameDurable, Bool.random(using: &random) { continue }
            result[name] = Self.torn(content, &random)
        }
        for (name, content) in state.removed.sorted(by: { $0.key < $1.key }) where result[name] == nil {
            if Bool.random(using: &random) { result[name] = Self.torn(content, &random) }
        }
        return result
    }

    private static func torn(_ content: Content, _ random: inout SeededGenerator) -> Content {
        var bytes = content.durable
        for write in content.unsynced {
            var some = write.bytes
            switch Int.random(in: 0..<3, using: &random) {
            case 0: continue
            case 1: some = Array(some.prefix(Int.random(in: 0...some.count, using: &random)))
            default: break
            }
            FaultFile.put(some, at: write.offset, into: &bytes)
        }
        return Content(durable: bytes, present: bytes, isNameDurable: true)
    }

    // MARK: - FileSystem

    func names() throws(StoreError) -> [String] {
        let disk = try DiskFileSystem(folder: folder).names()
        return disk + state.withLock { Array($0.files.keys) }
    }

    func open(_ name: String) throws(StoreError) -> any File {
        _ = try step()
        state.withLock { state in
            if state.files[name] == nil { state.files[name] = Content() }
        }
        return FaultFile(name, self)
    }

    func size(of name: String) -> Int {
        state.withLock { $0.files[name]?.present.count ?? 0 }
    }

    func remove(_ name: String) throws(StoreError) {
        _ = try step()
        state.withLock { state in
            if let content = state.files.removeValue(forKey: name) { state.removed[name] = content }
        }
    }

    func syncFolder() throws(StoreError) {
        _ = try step()
        state.withLock { state in
            state.removed = [:]
            for name in state.files.keys { state.files[name]?.isNameDurable = true }
        }
    }

    func lock(_ name: String) throws(StoreError) -> any FolderLock { NoLock() }

    private final class NoLock: FolderLock {
        func release() {}
    }
}

/// A file of ``FaultFiles``.
final class FaultFile: File {
    private let name: String
    private let disk: FaultFiles

    init(_ name: String, _ disk: FaultFiles) {
        self.name = name
        self.disk = disk
    }

    static func put(_ bytes: [UInt8], at offset: Int, into content: inout [UInt8]) {
        if bytes.isEmpty { return }
        if content.count < offset + bytes.count {
            content += [UInt8](repeating: 0, count: offset + bytes.count - content.count)
        }
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private func change(_ body: (inout FaultFiles.Content) -> Void) {
        disk.state.withLock { state in
            if var content = state.files[name] {
                body(&content)
                state.files[name] = content
            }
        }
    }

    func size() throws(StoreError) -> Int { disk.size(of: name) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreError) -> Int {
        let present = disk.state.withLock { $0.files[name]?.present ?? [] }
        guard offset < present.count else { return 0 }
        let count = min(buffer.count, present.count - offset)
        buffer.copyBytes(from: present[offset..<offset + count])
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StoreError) {
        let isFull = try disk.step()
        let some = isFull ? Array(bytes.prefix(bytes.count / 2)) : Array(bytes)
        change { content in
            Self.put(some, at: offset, into: &content.present)
            content.unsynced.append((offset, some))
        }
        if isFull { throw StoreError(.full, "no space is left") }
    }

    func sync() throws(StoreError) {
        if try disk.step() { throw StoreError(.full, "no space is left") }
        change { content in
            content.durable = content.present
            content.unsynced = []
        }
    }

    func truncate(to size: Int) throws(StoreError) {
        _ = try disk.step()
        change { content in
            content.present = Array(content.present.prefix(size))
            // A cut is not torn: it is there or it is not, and what lies behind it was never acknowledged.
            content.durable = Array(content.durable.prefix(size))
            content.unsynced = content.unsynced.compactMap { write in
                write.offset >= size ? nil : (write.offset, Array(write.bytes.prefix(size - write.offset)))
            }
        }
    }
}
