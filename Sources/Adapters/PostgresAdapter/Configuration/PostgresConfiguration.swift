package import ConnectionKit

/// Where the server is and how it is used.
package struct PostgresConfiguration: Sendable, Hashable {
    /// A libpq connection string: `postgresql://user:password@host1,host2:5432/database?sslmode=verify-full&sslrootcert=…`,
    /// or `host=… dbname=…`.
    ///
    /// With several hosts, the one that takes writes is used, and found again after a failover.
    package var url: String
    /// The same for standbys that may be read from; `nil` when reads stay on the primary.
    package var replicaURL: String?
    /// Overrides what the string says, so that secrets need not stand in it.
    package var user: String?
    package var password: String?
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`.
    package var sslMode: String?
    /// A file with the certificates of the authorities that may sign the server's.
    package var rootCertificate: String?
    package var pool: PoolSettings
    package var connectTimeout: Duration
    /// A statement that takes longer is ended by the server, and the call throws `timeout`.
    package var statementTimeout: Duration
    /// How long a statement may wait for a lock.
    package var lockTimeout: Duration
    /// How much longer than `statementTimeout` an answer may take before the connection counts as dead.
    package var silenceTimeout: Duration
    /// How long a call is tried again when the server goes away, before it throws `unavailable`: long enough for a
    /// standby to take over.
    package var failoverWindow: Duration
    /// More rows than this from one statement throw `limit`.
    package var rowLimit: Int
    /// Prepared statements that a connection keeps.
    package var statementCacheSize: Int
    /// The role that reads and writes within one tenant.
    ///
    /// It owns nothing.
    package var tenantRole: String
    /// The role of work that serves all tenants.
    package var systemRole: String

    package init(url: String) {
        self.url = url
        pool = PoolSettings()
        connectTimeout = .seconds(5)
        statementTimeout = .seconds(30)
        lockTimeout = .seconds(10)
        silenceTimeout = .seconds(5)
        failoverWindow = .seconds(8)
        rowLimit = 1_000_000
        statementCacheSize = 256
        tenantRole = "vigil_tenant"
        systemRole = "vigil_system"
    }

    /// Keywords and values for libpq, the later overriding the earlier.
    ///
    /// - Parameter writable: Whether only a server that takes writes will do.
    func keywords(for url: String, session: String) -> [(keyword: String, value: String)] {
        var result = [
            ("dbname", url),
            ("client_encoding", "UTF8"),
            ("fallback_application_name", "vigil"),
            ("connect_timeout", String(max(2, connectTimeout.components.seconds))),
            ("target_session_attrs", session),
            ("keepalives_idle", "30"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String((statementTimeout + silenceTimeout).milliseconds)),
        ]
        if let user { result.append(("user", user)) }
        if let password { result.append(("password", password)) }
        if let sslMode { result.append(("sslmode", sslMode)) }
        if let rootCertificate { result.append(("sslrootcert", rootCertificate)) }
        return result
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
