import VigilModel
import VigilPorts

extension Profile {
    static let columns: SQL = """
        p.id, p.code, p.name, p.description, p.kind, p.handler, p.expected_interval, p.units, p.ranges, p.rules,
        p.is_built_in, p.version, p.created_at, p.updated_at
        """

    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), code: try row.get("code"), name: try row.get("name"),
            description: try row.optional("description"), kind: try row.get("kind"), handler: try row.get("handler"),
            expectedIntervalSeconds: Span(microseconds: try row.get("expected_interval")).seconds,
            units: try row.json("units") ?? [:], ranges: try row.json("ranges") ?? [:],
            rules: try row.get("rules", as: JSONValue.self).elements ?? [], isBuiltIn: try row.get("is_built_in"),
            version: try row.get("version"), createdAt: try row.get("created_at"),
            updatedAt: try row.get("updated_at"))
    }

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO profiles (id, tenant_id, code, name, description, kind, handler, expected_interval, units, ranges,
                rules, is_built_in, version, created_at, updated_at)
            VALUES (\(id), \(tenant), \(code), \(name), \(description), \(kind), \(handler),
                \(Span(seconds: expectedIntervalSeconds).microseconds), \(try JSONValue(describing: units)),
                \(try JSONValue(describing: ranges)), \(JSONValue.array(rules)), \(isBuiltIn), \(version), \(createdAt),
                \(updatedAt))
            """)
    }

    func update(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE profiles SET code = \(code), name = \(name), description = \(description), kind = \(kind),
                handler = \(handler), expected_interval = \(Span(seconds: expectedIntervalSeconds).microseconds),
                units = \(try JSONValue(describing: units)), ranges = \(try JSONValue(describing: ranges)),
                rules = \(JSONValue.array(rules)), version = \(version), updated_at = \(updatedAt)
            WHERE tenant_id = \(tenant) AND id = \(id)
            """)
    }
}
