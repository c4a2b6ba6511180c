import Foundation
import VigilPorts

/// A folder of the operating system.
struct DiskFileSystem: FileSystem {
    let folder: String

    /// Makes the folder when it is missing.
    init(folder: String) throws(StoreError) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw StoreError(.unavailable, "the folder of the series store cannot be made")
        }
    }

    func names() throws(StoreError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw StoreError(.unavailable, "the folder of the series store cannot be read")
        }
    }

    func open(_ name: String) throws(StoreError) -> any File {
        let descriptor = systemOpen(folder + "/" + name, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.system(errno, "a file cannot be opened", file: name) }
        return DiskFile(descriptor, name: name)
    }

    // Not through `open`: closing a second descriptor of a database file would drop SQLite's locks on it.
    func size(of name: String) -> Int {
        var status = stat()
        return stat(folder + "/" + name, &status) == 0 ? Int(status.st_size) : 0
    }

    func remove(_ name: String) throws(StoreError) {
        guard unlink(folder + "/" + name) == 0 || errno == ENOENT else {
            throw StoreError.system(errno, "a file cannot be removed", file: name)
        }
    }

    func syncFolder() throws(StoreError) {
        let descriptor = systemOpen(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.system(errno, "the folder cannot be opened", file: ".") }
        defer { systemClose(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError.system(errno, "the folder cannot be synced", file: ".") }
    }

    func lock(_ name: String) throws(StoreError) -> any FolderLock {
        let descriptor = systemOpen(folder + "/" + name, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.system(errno, "the lock cannot be opened", file: name) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            systemClose(descriptor)
            throw StoreError(.locked, "another process has the series store open", details: ["file": name])
        }
        return DiskLock(descriptor)
    }
}

/// A lock of the operating system on an open file: it ends with the process, however that ends.
final class DiskLock: FolderLock {
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        systemClose(descriptor)
    }

    func release() {
        flock(descriptor, LOCK_UN)
    }
}

/// A file descriptor, closed with its last reference.
final class DiskFile: File {
    private let descriptor: Int32
    private let name: String

    init(_ descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit {
        systemClose(descriptor)
    }

    func size() throws(StoreError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw StoreError.system(errno, "a file's size cannot be read", file: name)
        }
        return Int(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StoreError.system(errno, "a file cannot be read", file: name)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StoreError.system(errno, "a file cannot be written", file: name)
            }
            done += count
        }
    }

    func sync() throws(StoreError) {
        guard fdatasync(descriptor) == 0 else { throw StoreError.system(errno, "a file cannot be synced", file: name) }
    }

    func truncate(to size: Int) throws(StoreError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw StoreError.system(errno, "a file cannot be cut", file: name)
        }
    }
}

extension StoreError {
    /// The error for a failed system call.
    static func system(_ number: Int32, _ message: StaticString, file: String) -> StoreError {
        let code: Code =
            switch number {
            case ENOSPC, EDQUOT: .full
            case EROFS, EACCES, EPERM: .readOnly
            default: .unavailable
            }
        return StoreError(code, message, details: ["file": file, "errno": String(number)])
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o640) }

private func systemClose(_ descriptor: Int32) { close(descriptor) }
