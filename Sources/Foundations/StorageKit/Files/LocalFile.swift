import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// A file of the machine, by its descriptor.
final class LocalFile: OpenFile {
    let path: String
    /// −1 once closed, so that a late call fails instead of reaching whatever file got the number next.
    private let descriptor: Atomic<Int32>

    init(_ path: String, for access: FileAccess) throws(FileFailure) {
        let flags: Int32 =
            switch access {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        let opened = open(path, flags | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw FileFailure(errno: errno, "open", path: path) }
        self.path = path
        descriptor = Atomic(opened)
    }

    deinit { close() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileFailure) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor.load(ordering: .relaxed), buffer.baseAddress?.advanced(by: done), buffer.count - done,
                off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure(errno: errno, "read", path: path, offset: offset)
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor.load(ordering: .relaxed), bytes.baseAddress?.advanced(by: done), bytes.count - done,
                off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure(errno: errno, "write", path: path, offset: offset)
            }
            done += count
        }
    }

    func sync() throws(FileFailure) {
        #if canImport(Glibc)
        let result = fdatasync(descriptor.load(ordering: .relaxed))
        #else
        let result = fcntl(descriptor.load(ordering: .relaxed), F_FULLFSYNC)
        #endif
        guard result == 0 else { throw FileFailure(errno: errno, "sync", path: path) }
    }

    func truncate(to size: Int64) throws(FileFailure) {
        guard ftruncate(descriptor.load(ordering: .relaxed), off_t(size)) == 0 else {
            throw FileFailure(errno: errno, "truncate", path: path, offset: size)
        }
    }

    func size() throws(FileFailure) -> Int64 {
        var information = stat()
        guard fstat(descriptor.load(ordering: .relaxed), &information) == 0 else {
            throw FileFailure(errno: errno, "look at", path: path)
        }
        return Int64(information.st_size)
    }

    func close() {
        let number = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if number >= 0 { _ = Foundation.close(number) }
    }
}
