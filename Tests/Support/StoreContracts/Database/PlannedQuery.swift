package import VigilModel
package import VigilPorts

/// A question of the pages, and the index that must answer it: on SQLite and on PostgreSQL, there under row security too.
package struct PlannedQuery: Sendable, CustomStringConvertible {
    /// What is asked, in words.
    package let description: String
    package let index: String
    let sql: SQL

    package static let tenant = TenantID(high: 7, low: 1)
    package static let owner = UserID(high: 7, low: 2)
    package static let device = DeviceID(high: 7, low: 3)

    package static let site = SiteID(high: 0x0000_0004_0000_7000, low: 0x8000_0000_0000_0007)

    package static let all: [PlannedQuery] = [
        PlannedQuery("devices of an owner by status", "devices_owner") {
            "SELECT id FROM devices WHERE owner_id = \(owner) AND status = 'active'"
        },
        PlannedQuery("the newest alerts of a device", "alerts_device") {
            """
            SELECT id FROM alerts WHERE tenant_id = \(tenant) AND device_id = \(device)
            ORDER BY event_time DESC LIMIT 20
            """
        },
        PlannedQuery("what nobody has acknowledged, by severity", "alerts_attention") {
            """
            SELECT id FROM alerts WHERE tenant_id = \(tenant) AND is_acknowledged = \(false) AND severity = \(4)
            ORDER BY event_time DESC LIMIT 20
            """
        },
        PlannedQuery("what stands, the worst first", "alerts_standing") {
            """
            SELECT id FROM alerts WHERE tenant_id = \(tenant) AND closure = 'open'
            ORDER BY severity DESC, event_time DESC LIMIT 20
            """
        },
        PlannedQuery("statistics of a time, from the index alone", "alerts_statistics") {
            """
            SELECT severity, type, closure, is_acknowledged, count(*) AS n FROM alerts
            WHERE tenant_id = \(tenant) AND event_time >= \(1_000_000) AND event_time < \(1_200_000)
            GROUP BY severity, type, closure, is_acknowledged
            """
        },
        PlannedQuery("the devices of a site", "devices_site") {
            "SELECT id FROM devices WHERE tenant_id = \(tenant) AND site_id = \(site)"
        },
        PlannedQuery("what happened to a thing", "audit_entries_resource") {
            """
            SELECT id FROM audit_entries WHERE tenant_id = \(tenant) AND resource = 'device' AND resource_id = \("7")
            ORDER BY id DESC LIMIT 20
            """
        },
        PlannedQuery("the oldest entries of the audit trail", "audit_entries_time") {
            "SELECT id FROM audit_entries WHERE time < \(1_000)"
        },
    ]

    private init(_ description: String, _ index: String, _ sql: () -> SQL) {
        self.description = description
        self.index = index
        self.sql = sql()
    }

    /// The plan as the engine tells it.
    package func plan(_ transaction: any SQLTransaction) throws -> String {
        if transaction.dialect.name == "sqlite" {
            return try transaction.rows("EXPLAIN QUERY PLAN \(sql)").map { try $0.get("detail", as: String.self) }
                .joined(separator: "\n")
        }
        return try transaction.rows("EXPLAIN \(sql)").map { try $0.get("query plan", as: String.self) }
            .joined(separator: "\n")
    }

    /// Statements that fill the tables so that an index is worth using: 20,000 alerts, 5,000 devices of one tenant.
    ///
    /// For an administrator: they write past row security.
    package static func filling(_ dialect: any SQLDialect) -> [String] {
        let isSQLite = dialect.name == "sqlite"
        func numbers(_ count: Int) -> String {
            isSQLite
                ? "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < \(count)) SELECT"
                : "WITH s AS (SELECT generate_series(1, \(count)) AS n) SELECT"
        }
        func reference(_ prefix: Int, _ number: String) -> String {
            isSQLite
                ? "printf('%08x-0000-7000-8000-%012x', \(prefix), \(number))"
                : "CAST('0000000\(prefix)-0000-7000-8000-' || lpad(to_hex(\(number)), 12, '0') AS uuid)"
        }
        func id(_ prefix: Int) -> String { reference(prefix, "n") }
        let (no, yes) = isSQLite ? ("0", "1") : ("false", "true")
        let t = "'\(tenant)'"
        return [
            """
            INSERT INTO tenants (id, code, name, kind, is_active, details, version, created_at, updated_at)
            VALUES (\(t), 'planned', 'Planned', 'client', \(yes), '{}', 1, 0, 0)
            """,
            """
            INSERT INTO sites (id, tenant_id, code, name, kind, time_zone, details, is_active, version, created_at, updated_at)
            \(numbers(50)) \(id(4)), \(t), 's' || n, 's', 'home', 'UTC', '{}', \(yes), 1, 0, 0 FROM s
            """,
            """
            INSERT INTO devices (id, tenant_id, site_id, code, name, kind, status, connection, metadata, is_discovered, version,
                created_at, updated_at)
            \(numbers(5000)) \(id(1)), \(t), \(reference(4, "1 + n % 50")), 'd' || n, 'd' || n, 'sensor',
                CASE n % 4 WHEN 0 THEN 'error' ELSE 'active' END, '{}', '{}', \(no), 1, 0, 0 FROM s
            """,
            """
            INSERT INTO alerts (id, tenant_id, source, subject, device_id, type, severity, title, message, started_at,
                event_time, known_at, last_time, occurrences, condition, suppression, is_latched, is_acknowledged,
                closure, dedup_key, metadata, version)
            \(numbers(20000)) \(id(2)), \(t), 's' || n, 'x', \(reference(1, "1 + n % 5000")),
                'system', n % 5, 't', 'm', 0, n * 100, 0, 0, 1, 'normal', 'none', \(no),
                CASE WHEN n % 50 = 0 THEN \(no) ELSE \(yes) END,
                CASE WHEN n % 200 = 0 THEN 'open' ELSE 'resolved' END, 'k' || n, '{}', 1 FROM s
            """,
            """
            INSERT INTO audit_entries (id, tenant_id, time, actor_kind, actor_name, action, resource, resource_id)
            \(numbers(20000)) \(id(3)), \(t), n * 100, 'system', 's', 'update', 'device', CAST(n AS text) FROM s
            """,
            """
            INSERT INTO search_documents (tenant_id, kind, key, language, title, body, tags, title_stems, body_stems, words)
            \(numbers(5000)) \(t), 'device', 'd' || n, 'simple', 't', 'b', '{}', 't', 'b',
                CASE WHEN n = 77 THEN 'rare' ELSE 'common' || n END FROM s
            """,
        ]
    }
}
