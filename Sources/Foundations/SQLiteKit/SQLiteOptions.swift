/// How a database file is opened.
package struct SQLiteOptions: Sendable, Hashable {
    package enum Access: Sendable, Hashable {
        /// Reading only; the file must be there.
        case read
        /// Reading and writing; the file must be there.
        case update
        /// Reading and writing; made when it is missing.
        case create
    }

    package enum Synchronous: String, Sendable, Hashable {
        /// Every commit is durable when it returns.
        case full = "FULL"
        /// Commits become durable with the next checkpoint. A crash may take back the last ones, never damage the file.
        case normal = "NORMAL"
    }

    package var access: Access
    /// Of a new file: a power of two from 512 to 65,536.
    package var pageSize: Int
    package var synchronous: Synchronous
    /// How much memory the connection may use for pages.
    package var cacheBytes: Int
    /// How long a statement waits for another connection or process before it fails with `busy`.
    package var busyTimeoutMilliseconds: Int
    /// The write-ahead log is moved into the file when it has this many pages.
    package var checkpointPages: Int
    /// How many prepared statements are kept.
    package var statementCount: Int
    /// Whether this is the only connection to the file: then no shared memory is needed.
    package var isExclusive: Bool

    package init(
        access: Access = .create, pageSize: Int = 4096, synchronous: Synchronous = .full, cacheBytes: Int = 8 << 20,
        busyTimeoutMilliseconds: Int = 5000, checkpointPages: Int = 1000, statementCount: Int = 200,
        isExclusive: Bool = false
    ) {
        self.access = access
        self.pageSize = pageSize
        self.synchronous = synchronous
        self.cacheBytes = cacheBytes
        self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
        self.checkpointPages = checkpointPages
        self.statementCount = statementCount
        self.isExclusive = isExclusive
    }
}
