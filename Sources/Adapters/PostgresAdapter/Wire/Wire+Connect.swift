import CLibPQ
import VigilPorts

extension Wire {
    /// Opens a connection and brings it into pipeline mode.
    ///
    /// - Parameter session: `read-write`, `prefer-standby` or `any`: which of several hosts will do.
    static func connect(
        _ configuration: PostgresConfiguration, url: String, session: String
    ) throws(PostgresFailure) -> Wire {
        let keywords = configuration.keywords(for: url, session: session)
        let raw = withCStrings(keywords.map(\.keyword)) { names in
            withCStrings(keywords.map(\.value)) { values in PQconnectdbParams(names, values, 1) }
        }
        guard let raw else { throw PostgresFailure(kind: .lost) }
        guard PQstatus(raw) == CONNECTION_OK else {
            defer { PQfinish(raw) }
            throw PostgresFailure(connecting: raw)
        }
        let silence = configuration.statementTimeout + configuration.silenceTimeout
        let wire = Wire(raw: raw, cacheSize: configuration.statementCacheSize, silenceLimit: silence)
        PQsetNoticeProcessor(raw, { _, _ in }, nil)
        guard PQsetnonblocking(raw, 1) == 0, PQenterPipelineMode(raw) == 1 else { throw wire.broken(.lost) }
        wire.server.version = Int(PQserverVersion(raw))
        try wire.prepareSession(configuration)
        return wire
    }

    private func prepareSession(_ configuration: PostgresConfiguration) throws(PostgresFailure) {
        let settings = [
            ("statement_timeout", String(configuration.statementTimeout.milliseconds)),
            ("lock_timeout", String(configuration.lockTimeout.milliseconds)),
            ("idle_in_transaction_session_timeout", String((configuration.statementTimeout * 2).milliseconds)),
            ("timezone", "UTC"), ("datestyle", "ISO"), ("bytea_output", "hex"), ("extra_float_digits", "1"),
            ("standard_conforming_strings", "on"), ("jit", "off"),
        ]
        let calls = settings.map { "set_config('\($0.0)', '\($0.1)', false)" }.joined(separator: ", ")
        let identity = """
            SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN '00000000'
                ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
                (SELECT system_identifier::text FROM pg_control_system())
            """
        let answers = try run([
            WireRequest("SELECT \(calls)", isPrepared: false), WireRequest(identity, isPrepared: false),
        ])
        guard let row = answers.last?.rows.first, row.count == 3 else { throw broken(.lost) }
        server.isStandby = row[0] == .boolean(true)
        if case .text(let timeline) = row[1] { server.timeline = Int64(timeline, radix: 16) ?? 0 }
        if case .text(let system) = row[2] { server.system = system }
    }
}

/// Calls `body` with a list of C strings that ends with NULL.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for string in strings {
        starts.append(bytes.count)
        bytes += string.utf8CString
    }
    return bytes.withUnsafeBufferPointer { buffer in
        var pointers: [UnsafePointer<CChar>?] = starts.map { buffer.baseAddress?.advanced(by: $0) }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { pointers in
            guard let base = pointers.baseAddress else { preconditionFailure("BUG: the list has at least its end") }
            return body(base)
        }
    }
}
