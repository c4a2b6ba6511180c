import VigilModel
import VigilPorts

extension PostgresTransaction {
    /// How many rows make a batch worth more than single statements.
    static var batchSize: Int { 16 }

    func insert(
        into table: StaticString, columns: [StaticString], rows: some Collection<[SQLValue]>, conflict: SQL?
    ) throws -> Int {
        // Everything below works on plain arrays: through an unknown collection each value would cost a look-up of its
        // type, which was half of the time of a batch.
        let rows = rows as? [[SQLValue]] ?? Array(rows)
        guard !rows.isEmpty else { return 0 }
        let names = columns.map(\.description)
        for row in rows where row.count != names.count {
            throw StoreError(
                .internalFault, "A row has another number of values than columns",
                details: ["table": table.description])
        }
        if rows.count < Self.batchSize || mustGoRowByRow(names, rows, conflict) {
            return try insertOneByOne(table.description, names, rows, conflict)
        }
        if conflict == nil, try mayCopy(table.description) {
            return try copy(table.description, names, rows)
        }
        return try insertAsArrays(table.description, names, rows, conflict)
    }

    /// `ON CONFLICT … DO UPDATE` cannot touch a row twice in one statement, so rows with the same key go one by one,
    /// in one batch: the last one wins, as if they had been written one after the other.
    private func mustGoRowByRow(_ columns: [String], _ rows: [[SQLValue]], _ conflict: SQL?) -> Bool {
        guard let conflict else { return false }
        let (text, parameters) = conflict.rendered { "$\($0)" }
        guard parameters.isEmpty else { return true }
        guard text.uppercased().contains("DO UPDATE") else { return false }
        guard let open = text.firstIndex(of: "("), let close = text[open...].firstIndex(of: ")") else { return true }
        let key = text[text.index(after: open)..<close].split(separator: ",").map {
            $0.trimmingPrefix { $0.isWhitespace }.split(separator: " ").first.map(String.init) ?? ""
        }
        let indexes = key.compactMap { columns.firstIndex(of: $0) }
        guard indexes.count == key.count else { return true }
        var seen = Set<[SQLValue]>(minimumCapacity: rows.count)
        return rows.contains { row in !seen.insert(indexes.map { row[$0] }).inserted }
    }

    private func insertOneByOne(
        _ table: String, _ columns: [String], _ rows: [[SQLValue]], _ conflict: SQL?
    ) throws -> Int {
        let head = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES ("
        let requests = rows.map { row in
            var parts: [SQL.Part] = [.text(head)]
            for (index, value) in row.enumerated() {
                if index > 0 { parts.append(.text(", ")) }
                parts.append(.parameter(value))
            }
            parts.append(.text(") "))
            return WireRequest(SQL(parts: parts) + (conflict ?? SQL(parts: [])))
        }
        return try run(requests).reduce(0) { $0 + $1.changed }
    }

    /// How many rows one statement of arrays holds: the server works on one while the next is being written.
    private static var arrayRows: Int { 2000 }

    /// Statements with one array per column: works under row security and with conflicts, where COPY does not.
    private func insertAsArrays(
        _ table: String, _ columns: [String], _ rows: [[SQLValue]], _ conflict: SQL?
    ) throws -> Int {
        let types = try columnTypes(of: table)
        var arrays: [String] = []
        for (index, column) in columns.enumerated() {
            guard let type = types[column] else {
                throw StoreError(.invalid, "A table has no such column", details: ["table": table, "column": column])
            }
            arrays.append("unnest($\(index + 1)::\(type)[])")
        }
        let list = columns.joined(separator: ", ")
        let (tail, _) = (conflict ?? SQL(parts: [])).rendered { "$\($0)" }
        // In the list of what is selected the arrays are walked in step; in FROM each would be written to a store of rows
        // first, which costs a quarter more.
        let source = "SELECT \(arrays.joined(separator: ", "))"
        let text = "INSERT INTO \(table) (\(list)) \(source) \(tail)"
        try begin()
        if let failure { throw failure.storeError }
        do {
            for start in stride(from: 0, to: rows.count, by: Self.arrayRows) {
                let part = rows[start..<min(start + Self.arrayRows, rows.count)]
                try wire.send(Self.request(text, columns.map { types[$0] ?? "" }, part))
                try wire.push()
            }
            return try wire.collect().reduce(0) { $0 + $1.changed }
        } catch {
            throw remember(error).storeError
        }
    }

    private static func request(_ text: String, _ types: [String], _ rows: ArraySlice<[SQLValue]>) -> WireRequest {
        var parameters: [SQLValue] = []
        var binaryTypes: [UInt32?] = []
        for (index, type) in types.enumerated() {
            let binary = BinaryArray(rows, column: index, type: type)
            parameters.append(
                binary.map { SQLValue.bytes($0.bytes) } ?? .text(WireArray.literal(rows, column: index)))
            binaryTypes.append(binary?.type)
        }
        var request = WireRequest(text, parameters)
        request.binaryTypes = binaryTypes
        return request
    }

    private func columnTypes(of table: String) throws -> [String: String] {
        if let known = wire.columnTypes[table] { return known }
        let found = try rows(
            """
            SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
            WHERE attrelid = to_regclass(\(table)) AND attnum > 0 AND NOT attisdropped
            """)
        var types: [String: String] = [:]
        for row in found { types[try row.get("name", as: String.self)] = try row.get("type", as: String.self) }
        wire.columnTypes[table] = types
        return types
    }

    /// COPY is refused where row security applies to us.
    private func mayCopy(_ table: String) throws -> Bool {
        if let known = wire.copyAllowed[table] { return known }
        let row = try rows(
            """
            SELECT row_security_active(to_regclass(\(table))) AS active
            """
        ).first
        let allowed = try row?.optional("active", as: Bool.self).map { !$0 } ?? false
        wire.copyAllowed[table] = allowed
        return allowed
    }

    private func copy(_ table: String, _ columns: [String], _ rows: [[SQLValue]]) throws -> Int {
        try begin()
        do {
            return try wire.copy(
                "COPY \(table) (\(columns.joined(separator: ", "))) FROM STDIN", rows: rows)
        } catch {
            throw remember(error).storeError
        }
    }
}
