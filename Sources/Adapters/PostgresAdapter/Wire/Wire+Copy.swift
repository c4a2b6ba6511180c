import CLibPQ
import VigilPorts

extension Wire {
    /// Sends rows by COPY, in the transaction that is open, and returns how many arrived.
    ///
    /// COPY is not possible in pipeline mode, so the connection leaves it meanwhile.
    func copy(_ statement: String, rows: [[SQLValue]]) throws(PostgresFailure) -> Int {
        if !expected.isEmpty { _ = try collect() }
        guard PQexitPipelineMode(raw) == 1 else { throw broken(.lost) }
        deadline = .now + silenceLimit
        guard PQsendQuery(raw, statement) == 1 else { throw broken(.lost) }
        var problem: PostgresFailure?
        var count = 0
        if let refusal = try startCopy() {
            problem = refusal
        } else {
            do {
                try sendCopy(rows)
                try endCopy(nil)
            } catch {
                guard case .local = error.kind else { throw error }
                problem = error
                // The server undoes what it has, and says so as an error, which is expected.
                try endCopy("refused")
            }
        }
        deadline = .now + silenceLimit
        while let result = try next() {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_COMMAND_OK {
                count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
            } else if problem == nil {
                problem = PostgresFailure(result: result)
            }
        }
        guard PQenterPipelineMode(raw) == 1 else { throw broken(.lost) }
        if let problem { throw problem }
        return count
    }

    private func startCopy() throws(PostgresFailure) -> PostgresFailure? {
        guard let result = try next() else { throw broken(.lost) }
        defer { PQclear(result) }
        return PQresultStatus(result) == PGRES_COPY_IN ? nil : PostgresFailure(result: result)
    }

    private func sendCopy(_ rows: [[SQLValue]]) throws(PostgresFailure) {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(1 << 17)
        for row in rows {
            do {
                try WireArray.copyLine(row, into: &buffer)
            } catch {
                throw PostgresFailure(kind: .local(error))
            }
            if buffer.count >= 1 << 16 {
                try put(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        if !buffer.isEmpty { try put(buffer) }
    }

    private func put(_ bytes: [UInt8]) throws(PostgresFailure) {
        while true {
            let status = bytes.withUnsafeBytes { buffer in
                PQputCopyData(raw, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count))
            }
            if status == 1 { break }
            guard status == 0 else { throw broken(.lost) }
            try push()
        }
        deadline = .now + silenceLimit
        try push()
    }

    private func endCopy(_ refusal: String?) throws(PostgresFailure) {
        while true {
            let status = PQputCopyEnd(raw, refusal)
            if status == 1 { return try push() }
            guard status == 0 else { throw broken(.lost) }
            try push()
        }
    }
}
