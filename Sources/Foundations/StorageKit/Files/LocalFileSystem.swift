import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// The file system of the machine.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package func open(_ path: String, for access: FileAccess) throws(FileFailure) -> any OpenFile {
        try LocalFile(path, for: access)
    }

    package func rename(_ path: String, to target: String) throws(FileFailure) {
        guard Foundation.rename(path, target) == 0 else { throw FileFailure(errno: errno, "rename", path: path) }
    }

    @discardableResult
    package func remove(_ path: String) throws(FileFailure) -> Bool {
        if unlink(path) == 0 { return true }
        if errno == ENOENT { return false }
        throw FileFailure(errno: errno, "remove", path: path)
    }

    package func names(in folder: String) throws(FileFailure) -> [String] {
        guard let directory = opendir(folder) else { throw FileFailure(errno: errno, "list", path: folder) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw FileFailure(errno: errno, "list", path: folder) }
        return names.sorted()
    }

    package func makeFolder(_ path: String) throws(FileFailure) {
        if mkdir(path, 0o700) == 0 { return }
        let number = errno
        if number == EEXIST, try status(of: path)?.isFolder == true { return }
        guard number == ENOENT, path.parentFolder != path else {
            throw FileFailure(errno: number, "make folder", path: path)
        }
        try makeFolder(path.parentFolder)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw FileFailure(errno: errno, "make folder", path: path)
        }
    }

    package func removeFolder(_ path: String) throws(FileFailure) {
        guard try status(of: path) != nil else { return }
        for name in try names(in: path) {
            let inner = path + "/" + name
            if isFolder(inner) { try removeFolder(inner) } else { try remove(inner) }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileFailure(errno: errno, "remove folder", path: path) }
    }

    /// A link to a folder is not a folder: what it points to is not ours to remove.
    private func isFolder(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    package func sync(folder: String) throws(FileFailure) {
        let descriptor = Foundation.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(errno: errno, "sync folder", path: folder) }
        defer { Foundation.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(errno: errno, "sync folder", path: folder) }
    }

    package func status(of path: String) throws(FileFailure) -> FileStatus? {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileFailure(errno: errno, "look at", path: path)
        }
        return FileStatus(
            size: Int64(information.st_size), isFolder: information.st_mode & S_IFMT == S_IFDIR,
            modified: Int64(information.st_mtim.tv_sec))
    }

    package func freeBytes(at path: String) throws(FileFailure) -> Int64 {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { throw FileFailure(errno: errno, "look at", path: path) }
        return Int64(clamping: UInt64(information.f_bavail) * UInt64(information.f_frsize))
    }
}

extension FileFailure {
    init(errno number: Int32, _ operation: StaticString, path: String, offset: Int64? = nil) {
        let code: Code =
            switch number {
            case ENOENT, ENOTDIR: .missing
            case EEXIST: .exists
            case ENOSPC, EDQUOT, EFBIG: .full
            case EROFS, EACCES, EPERM: .readOnly
            case EIO: .inputOutput
            case EWOULDBLOCK: .locked
            default: .other
            }
        self.init(code, operation, path: path, offset: offset, errorNumber: number)
    }
}
