/// Files as the engines use them: the seam where tests tear writes, lose syncs and fill the disk.
///
/// Nothing is durable before ``OpenFile/sync()`` of the file, and a new, renamed or removed name not before
/// ``sync(folder:)`` of its folder.
package protocol FileSystem: Sendable {
    func open(_ path: String, for access: FileAccess) throws(FileFailure) -> any OpenFile

    /// Gives a file another name at once; a file that had that name is gone.
    func rename(_ path: String, to target: String) throws(FileFailure)

    /// Removes a file.
    ///
    /// Returns false when there was none.
    @discardableResult
    func remove(_ path: String) throws(FileFailure) -> Bool

    /// The names in a folder, sorted, without `.` and `..`.
    func names(in folder: String) throws(FileFailure) -> [String]

    /// Makes a folder and those above it, readable by the owner only.
    ///
    /// A folder that is there is no error.
    func makeFolder(_ path: String) throws(FileFailure)

    /// Removes a folder with all that is in it.
    ///
    /// One that is not there is no error.
    func removeFolder(_ path: String) throws(FileFailure)

    /// Makes the names in a folder durable.
    func sync(folder: String) throws(FileFailure)

    /// What is at `path`, or `nil` when nothing is.
    func status(of path: String) throws(FileFailure) -> FileStatus?

    /// How many bytes can still be written to the disk that holds `path`.
    func freeBytes(at path: String) throws(FileFailure) -> Int64
}

package enum FileAccess: Sendable, Hashable {
    case read
    /// Reading and writing a file that is there.
    case update
    /// Reading and writing; made when it is missing.
    case create
    /// Reading and writing a file that must not be there yet.
    case createNew
}

package struct FileStatus: Sendable, Hashable {
    package let size: Int64
    package let isFolder: Bool
    /// Seconds since 1970 of the last change.
    package let modified: Int64

    package init(size: Int64, isFolder: Bool, modified: Int64) {
        self.size = size
        self.isFolder = isFolder
        self.modified = modified
    }
}

/// An open file.
///
/// Calls may come from any thread; writes to the same bytes at the same time are the caller's affair.
package protocol OpenFile: AnyObject, Sendable {
    var path: String { get }

    /// Reads from `offset` until `buffer` is full or the file ends.
    ///
    /// Returns how many bytes were read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileFailure) -> Int

    /// Writes all of `bytes`.
    ///
    /// After a failure any part of them may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileFailure)

    /// Returns when everything that was written is durable.
    ///
    /// After a failure the system may have dropped what was not durable, and a second call may succeed without it: the
    /// caller must treat the file as it was at the last successful sync.
    func sync() throws(FileFailure)

    func truncate(to size: Int64) throws(FileFailure)
    func size() throws(FileFailure) -> Int64

    /// Ends the use of the file.
    ///
    /// A second call does nothing.
    func close()
}

extension OpenFile {
    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    package func read(_ count: Int, at offset: Int64) throws(FileFailure) -> [UInt8] {
        var failure: FileFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            do throws(FileFailure) {
                initializedCount = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: Int64) throws(FileFailure) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(FileFailure) in try write(buffer, at: offset) }
        }
        try result.get()
    }
}

extension FileSystem {
    /// The whole content of a file.
    package func content(of path: String) throws(FileFailure) -> [UInt8] {
        let file = try open(path, for: .read)
        defer { file.close() }
        return try file.read(Int(try file.size()), at: 0)
    }

    /// Replaces a file's content, durably: after a crash at any moment it holds the old content or the new.
    package func replaceContent(of path: String, with bytes: [UInt8]) throws(FileFailure) {
        let temporary = path + ".new"
        try remove(temporary)
        let file = try open(temporary, for: .createNew)
        defer { file.close() }
        try file.write(bytes, at: 0)
        try file.sync()
        try rename(temporary, to: path)
        try sync(folder: path.parentFolder)
    }
}

extension String {
    /// The folder that holds the file of this path.
    package var parentFolder: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
