import VigilPorts

/// The files of one folder: the seam where tests tear writes, lose syncs and fill the disk.
protocol FileSystem: Sendable {
    /// The names in the folder, in no order.
    func names() throws(StoreError) -> [String]

    /// Opens a file for reading and writing, made when it is missing.
    func open(_ name: String) throws(StoreError) -> any File

    /// The size of a file, 0 when there is none.
    func size(of name: String) -> Int

    func remove(_ name: String) throws(StoreError)

    /// Makes additions to and removals from the folder durable.
    func syncFolder() throws(StoreError)

    /// Keeps others from opening the folder for writing until the lock is released, or its last reference gone.
    func lock(_ name: String) throws(StoreError) -> any FolderLock
}

/// An open file.
protocol File: AnyObject, Sendable {
    func size() throws(StoreError) -> Int

    /// Reads up to `buffer.count` bytes and returns how many there were.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreError) -> Int

    /// Writes all bytes, or throws with an unknown part of them written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StoreError)

    /// Returns when everything written is on the disk.
    func sync() throws(StoreError)

    func truncate(to size: Int) throws(StoreError)
}

/// An exclusive hold on a folder.
protocol FolderLock: AnyObject, Sendable {
    func release()
}
