import PostgresAdapter
import PostgresServers
import StoreContracts
import Testing
import VigilModel
import VigilPorts

/// Batches behind row security go as arrays, in the binary form where a column has one.
@Suite(.enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresBatchTests {
    private let scope = AccessScope(tenant: TenantID(high: 5, low: 1))
    private static let columns: [StaticString] = [
        "id", "tenant_id", "name", "count", "ratio", "flag", "body", "raw", "at",
    ]

    private func row(_ number: Int, id: SQLValue? = nil, name: SQLValue? = nil) throws -> [SQLValue] {
        let isNull = number % 7 == 0
        let tenant = try #require(scope.tenant)
        return [
            id ?? DeviceID(high: 5, low: UInt64(number)).sqlValue, tenant.sqlValue,
            name ?? .text(#"„\#(number)" \ {x,y} "# + "\n\t'NULL'"), .integer(Int64(number) * 1_000_000_007),
            isNull ? .null : .real(number % 5 == 0 ? .infinity : Double(number) / 7), .boolean(number % 2 == 0),
            isNull ? .null : .text(#"{"n": \#(number), "s": "\\\" ü"}"#),
            isNull ? .null : .bytes([0, 255, UInt8(number % 256), 92, 34]),
            isNull ? .null : .integer(Int64(number) - 1_700_000_000_000_000),
        ]
    }

    private func insert(_ rows: [[SQLValue]], into store: PostgresStore) async throws -> Int {
        try await store.write(in: scope) { transaction in
            try transaction.insert(into: "contract_items", columns: Self.columns, rows: rows, conflict: nil)
        }
    }

    @Test(arguments: PostgresServer.all)
    func `values of every kind come back as they went`(_ server: PostgresServer) async throws {
        let store = try await PostgresStore.open(try await server.database().configuration)
        let rows = try (1...4500).map { try row($0) }
        #expect(try await insert(rows, into: store) == rows.count)
        let found = try await store.read(in: scope) { transaction in
            try transaction.rows(
                """
                SELECT id, tenant_id, name, count, ratio, flag, raw, at, body ->> 'n' AS n, body ->> 's' AS s
                FROM contract_items ORDER BY count
                """)
        }
        try #require(found.count == rows.count)
        for (wanted, row) in zip(rows, found) {
            #expect(Array(row.values[0...5]) == Array(wanted[0...5]))
            #expect(Array(row.values[6...7]) == Array(wanted[7...8]))
            guard wanted[6] != .null else { continue }
            #expect(try row.optional("s", as: String.self) == #"\" ü"#)
        }
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `a value that does not fit its column is refused, and nothing of the batch stays`(
        _ server: PostgresServer
    ) async throws {
        let store = try await PostgresStore.open(try await server.database().configuration)
        let good = try (1...40).map { try row($0) }
        for bad in [
            try row(50, id: .text("no identifier")), try row(51, name: .text("a\u{0}b")),
            try row(52, id: .text("0000000500000000-0000-0000-00000000-a")),
        ] {
            await #expect(throws: StoreError.self) { _ = try await insert(good + [bad], into: store) }
        }
        let count = try await store.read(in: scope) { transaction in
            try transaction.rows("SELECT count(*) AS n FROM contract_items").first?.get("n", as: Int.self)
        }
        #expect(count == 0)
        #expect(try await insert(good, into: store) == 40)
        await store.close()
    }
}
