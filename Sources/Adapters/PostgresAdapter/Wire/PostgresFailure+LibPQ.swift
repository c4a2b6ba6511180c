import CLibPQ

extension PostgresFailure {
    /// What a failed result says.
    init(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        kind = .server
        // The letters are those of postgres_ext.h: PG_DIAG_SQLSTATE and its neighbours.
        state = field("C") ?? "XX000"
        for (name, code) in [("schema", "s"), ("table", "t"), ("column", "c"), ("constraint", "n")] {
            if let value = field(Character(code)) { names[name] = value }
        }
        let text = field("M") ?? ""
        if state == "0A000", text.contains("cached plan") { names["reason"] = "plan" }
        if state == "42501", text.contains("row-level security") { names["reason"] = "row security" }
        if state.hasPrefix("42"), state != "42501" {
            names["says"] = String(text.prefix(200))
            if let position = field("P") { names["position"] = position }
        }
    }

    /// Why no connection could be made.
    ///
    /// libpq has no code for it, only its text, which holds no stored values.
    init(connecting connection: OpaquePointer?) {
        kind = .lost
        let text = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        let reasons = [
            ("password authentication failed", "authentication", "28P01"),
            ("no password supplied", "authentication", "28P01"),
            ("certificate", "certificate", ""), ("SSL", "tls", ""),
            ("too many clients", "connection slots", "53300"),
            ("remaining connection slots", "connection slots", "53300"),
            ("too many connections", "connection slots", "53300"),
            ("role \"", "authentication", "28000"), ("pg_hba.conf", "authentication", "28000"),
            ("database \"", "database", "3D000"), ("starting up", "starting", "57P03"),
            ("shutting down", "shutting down", "57P03"), ("read-only", "no writable server", ""),
            ("not in hot standby", "no standby", ""), ("timeout expired", "timeout", ""),
            ("Connection refused", "refused", ""), ("translate host name", "name", ""),
        ]
        if let match = reasons.first(where: { text.contains($0.0) }) {
            names["reason"] = match.1
            state = match.2
        }
        if let host = PQhost(connection) { names["host"] = String(cString: host) }
        if let port = PQport(connection) { names["port"] = String(cString: port) }
    }

    /// Whether trying again is of no use: somebody must change the configuration first.
    var isHopeless: Bool {
        ["authentication", "certificate", "tls", "database"].contains(names["reason"] ?? "")
    }
}
