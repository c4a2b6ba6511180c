import VigilModel
import VigilPorts

/// A table of things by tenant, kind and key, with the index that the engine keeps beside it.
struct ProjectedTable: Sendable {
    let name: StaticString
    let columns: [StaticString]
    let indexed: IndexedTable

    /// How many rows are written by one statement.
    private static let chunk = 200

    /// Writes rows, whose first three values are tenant, kind and key; of two with the same key the later stays.
    func put(
        _ rows: [[SQLValue]], into store: any RelationalStore, in scope: AccessScope
    ) async throws(StoreError) {
        let tenant = try SQLSearch.tenant(of: scope)
        try await SQLSearch.typed {
            _ = try await store.write(in: scope) { try put(rows, tenant, $0) }
        }
    }

    func remove(
        _ kind: String, keys: [String], from store: any RelationalStore, in scope: AccessScope
    ) async throws(StoreError) {
        let tenant = try SQLSearch.tenant(of: scope)
        try await SQLSearch.typed {
            _ = try await store.write(in: scope) { try remove(kind, keys, tenant, $0) }
        }
    }

    func removeAll(from store: any RelationalStore, in scope: AccessScope) async throws(StoreError) {
        let tenant = try SQLSearch.tenant(of: scope)
        try await SQLSearch.typed {
            _ = try await store.write(in: scope) { try remove("tenant_id = \(tenant)", $0) }
        }
    }

    private func put(_ rows: [[SQLValue]], _ tenant: TenantID, _ transaction: any SQLTransaction) throws {
        var latest: [[SQLValue]: Int] = [:]
        for (index, row) in rows.enumerated() { latest[Array(row[1...2])] = index }
        let chosen = latest.values.sorted().map { rows[$0] }
        let updates = columns.dropFirst(3).map { SQL(unchecked: "\($0) = excluded.\($0)") }.joined(", ")
        for start in stride(from: 0, to: chosen.count, by: Self.chunk) {
            let chunk = chosen[start..<min(start + Self.chunk, chosen.count)]
            let condition = Self.condition(of: chunk, tenant)
            try run(transaction.dialect.beforeChange(of: indexed, where: condition), transaction)
            _ = try transaction.insert(
                into: name, columns: columns, rows: chunk,
                conflict: "ON CONFLICT (tenant_id, kind, key) DO UPDATE SET \(updates)")
            try run(transaction.dialect.afterChange(of: indexed, where: condition), transaction)
        }
    }

    private static func condition(of rows: ArraySlice<[SQLValue]>, _ tenant: TenantID) -> SQL {
        let keys = rows.map { row -> SQL in "(kind = \(row[1]) AND key = \(row[2]))" }
        return "tenant_id = \(tenant) AND (\(keys.joined(" OR ")))"
    }

    private func remove(
        _ kind: String, _ keys: [String], _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws {
        for start in stride(from: 0, to: keys.count, by: Self.chunk) {
            let chunk = Array(keys[start..<min(start + Self.chunk, keys.count)])
            try remove("tenant_id = \(tenant) AND kind = \(kind) AND key IN \(chunk)", transaction)
        }
    }

    private func remove(_ condition: SQL, _ transaction: any SQLTransaction) throws {
        try run(transaction.dialect.beforeChange(of: indexed, where: condition), transaction)
        try transaction.execute("DELETE FROM \(SQL(unchecked: name.description)) WHERE \(condition)")
    }

    private func run(_ statements: [SQL], _ transaction: any SQLTransaction) throws {
        for statement in statements { try transaction.execute(statement) }
    }
}
