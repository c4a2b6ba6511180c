import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// The right of one process to write a data folder.
///
/// It is an `flock` on `vigil.lock` in the folder: the system gives it back when the process ends, however it ends, so
/// there are no stale locks. The file holds the number of the process for the message that the next one prints.
package final class FolderLock: Sendable {
    package static let fileName = "vigil.lock"

    /// Somebody else has the folder.
    package struct Held: Error, Hashable, Sendable, CustomStringConvertible {
        package let folder: String
        /// `nil` when the holder has not yet written its number.
        package let process: Int32?

        package var description: String {
            "\(folder) is in use by another Vigil" + (process.map { " (process \($0))" } ?? "")
        }
    }

    private let descriptor: Int32

    /// Takes the lock at once or not at all.
    ///
    /// The folder is made when it is missing.
    ///
    /// - Throws: ``Held`` when another process, or another lock of this process, has it; ``FileFailure`` otherwise.
    package init(folder: String) throws {
        try LocalFileSystem().makeFolder(folder)
        let path = folder + "/" + Self.fileName
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw FileFailure(errno: errno, "open", path: path) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            let holder = Self.process(in: opened)
            close(opened)
            if number == EWOULDBLOCK { throw Held(folder: folder, process: holder) }
            throw FileFailure(errno: number, "lock", path: path)
        }
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(opened, 0) == 0, pwrite(opened, text, text.count, 0) == text.count else {
            let number = errno
            close(opened)
            throw FileFailure(errno: number, "write", path: path)
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// The process that holds the lock of `folder`, or `nil` when nobody does.
    package static func holder(of folder: String) -> Int32? {
        let opened = open(folder + "/" + fileName, O_RDWR | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        defer { close(opened) }
        if flock(opened, LOCK_SH | LOCK_NB) == 0 { return nil }
        return process(in: opened)
    }

    private static func process(in descriptor: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: buffer[..<count], as: UTF8.self).filter(\.isNumber))
    }
}
