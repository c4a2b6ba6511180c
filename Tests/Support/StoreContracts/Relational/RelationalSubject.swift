import VigilModel
package import VigilPorts

/// A relational store under test, whose database has ``RelationalContract/migrations``.
package struct RelationalSubject: Sendable {
    package let store: any RelationalStore
    /// Whether the engine refuses by itself what belongs to another tenant (row-level security).
    package let hasRowSecurity: Bool

    package init(_ store: any RelationalStore, hasRowSecurity: Bool) {
        self.store = store
        self.hasRowSecurity = hasRowSecurity
    }
}

/// A tenant of its own for one clause, with short words for what clauses do.
struct RelationalRoom: Sendable {
    let store: any RelationalStore
    let tenant = TenantID(at: Timestamp(seconds: 1_700_000_000))
    var scope: AccessScope { AccessScope(tenant: tenant) }

    init(_ subject: RelationalSubject) {
        store = subject.store
    }

    func newID() -> DeviceID { DeviceID(at: Timestamp(seconds: 1_700_000_000)) }

    @discardableResult
    func add(_ name: String, count: Int64 = 0) async throws -> DeviceID {
        let id = newID()
        let tenant = tenant
        try await store.write(in: scope) { transaction in
            try Self.add(id, tenant, name, count, in: transaction)
        }
        return id
    }

    static func add(
        _ id: DeviceID, _ tenant: TenantID, _ name: String, _ count: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO contract_items (id, tenant_id, name, count, ratio, flag, body, raw)
            VALUES (\(id), \(tenant), \(name), \(count), \(0.5), \(true), \(JSONValue.object([:])), \([UInt8]([0, 255])))
            """)
    }

    func count(of id: DeviceID) async throws -> Int64? {
        try await store.read(in: scope) { transaction in
            try transaction.rows("SELECT count FROM contract_items WHERE id = \(id)").first?.get("count")
        }
    }

    /// The code of the error that `work` throws.
    static func code(_ work: () async throws -> Void) async -> StoreError.Code? {
        do {
            try await work()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }
}
