import VigilModel
import VigilPorts

extension RegistryChange {
    /// - Throws: `stale` when the caller believed in another version.
    static func require(_ believed: Int?, is current: Int) throws(ServiceError) {
        guard believed == nil || believed == current else {
            throw ServiceError(.stale, "version.stale", "It was changed by somebody else. Read it again.")
        }
    }

    /// - Throws: `conflict` with `limit.reached` when the table holds as many rows of the tenant as may be.
    func requireRoom(in table: StaticString, max: Int, where condition: SQL = "TRUE") throws {
        let rows = try transaction.rows(
            """
            SELECT COUNT(*) AS n FROM \(SQL(unchecked: table.description))
            WHERE tenant_id = \(tenant) AND \(condition)
            """)
        guard try rows.first?.get("n", as: Int.self) ?? 0 < max else {
            throw ServiceError(.conflict, "limit.reached", "There are as many as the limit allows: \(max).")
        }
    }

    /// The code that something new gets: the wished one, or one made of its name.
    ///
    /// - Throws: `conflict` with `code.taken` when the wished code is another's.
    func newCode(_ wished: String?, name: String, table: StaticString) throws -> String {
        if let wished {
            let code = try TextRules.code(wished)
            guard try !isTaken(code, table: table) else {
                throw ServiceError(
                    .conflict, "code.taken", "There is one with this code already.",
                    fields: [FieldFault(field: "code", reason: "is taken")])
            }
            return code
        }
        let base = TextRules.code(from: name, fallback: "unnamed")
        if try !isTaken(base, table: table) { return base }
        for number in 2...1000 where try !isTaken("\(base)_\(number)", table: table) { return "\(base)_\(number)" }
        throw ServiceError.invalid("code", "must be given: there are too many of this name", code: "code.taken")
    }

    private func isTaken(_ code: String, table: StaticString) throws -> Bool {
        let name = table.description
        let living: SQL = name == "devices" ? "deleted_at IS NULL" : "TRUE"
        return try !transaction.rows(
            """
            SELECT 1 AS one FROM \(SQL(unchecked: name)) WHERE tenant_id = \(tenant) AND code = \(code) AND \(living)
            """
        ).isEmpty
    }
}
