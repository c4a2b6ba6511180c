import VigilModel
import VigilPorts

extension RelationalContract {
    static var values: [Clause] {
        [
            Clause("relational/values", "What is bound comes back as it was") { subject in
                let room = RelationalRoom(subject)
                let id = room.newID()
                let tenant = room.tenant
                let body = JSONValue.object(["a": .array([.integer(1), .string("é\"\\'"), .null])])
                let name = "O'Brien; DROP TABLE \"x\" -- \\ $1 ?1 \n\t 漢"
                _ = try await room.store.write(in: room.scope) { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO contract_items (id, tenant_id, name, count, ratio, flag, body, raw, at)
                        VALUES (\(id), \(tenant), \(name), \(Int64.max), \(0.1), \(false), \(body),
                            \([UInt8](0...255)), \(Int64.min))
                        """)
                }
                let row = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows("SELECT * FROM contract_items WHERE name = \(name)").first
                }
                guard let row else { throw ContractBroken("the row is not found by its own text") }
                try require(try row.get("id", as: DeviceID.self), is: id)
                try require(try row.get("name", as: String.self), is: name)
                try require(try row.get("count", as: Int64.self), is: .max)
                try require(try row.get("at", as: Int64.self), is: .min)
                try require(try row.get("ratio", as: Double.self), is: 0.1)
                try require(try row.get("flag", as: Bool.self), is: false)
                try require(try row.get("body", as: JSONValue.self), is: body)
                try require(try row.get("raw", as: [UInt8].self), is: [UInt8](0...255))
            },
            Clause("relational/nulls", "NULL is bound and read as NULL") { subject in
                let room = RelationalRoom(subject)
                let id = try await room.add("a")
                _ = try await room.store.write(in: room.scope) { transaction in
                    try transaction.execute(
                        """
                        UPDATE contract_items SET ratio = \(Double?.none), body = \(JSONValue?.none), raw = \([UInt8]?.none)
                        WHERE id = \(id)
                        """)
                }
                let row = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows("SELECT ratio, body, raw FROM contract_items WHERE id = \(id)").first
                }
                try require(row?.values ?? [], is: [.null, .null, .null])
            },
            Clause(
                "relational/lists", "A list binds as many parameters as it has elements, an empty one matches nothing"
            ) {
                subject in
                let room = RelationalRoom(subject)
                let ids = [try await room.add("a"), try await room.add("b"), try await room.add("c")]
                let (some, none) = try await room.store.read(in: room.scope) { transaction in
                    (
                        try transaction.rows("SELECT id FROM contract_items WHERE id IN \(Array(ids.prefix(2)))").count,
                        try transaction.rows("SELECT id FROM contract_items WHERE id IN \([DeviceID]())").count
                    )
                }
                try require(some, is: 2)
                try require(none, is: 0)
            },
            Clause("relational/for-each-row", "Rows are visited in order until the visitor says stop") { subject in
                let room = RelationalRoom(subject)
                for name in ["c", "a", "b"] { try await room.add(name) }
                let seen = try await room.store.read(in: room.scope) { transaction in
                    var seen: [String] = []
                    try transaction.forEachRow("SELECT name FROM contract_items ORDER BY name") { row in
                        seen.append(try row.get("name"))
                        return seen.count < 2
                    }
                    return seen
                }
                try require(seen, is: ["a", "b"])
            },
            Clause("relational/execute-counts", "A statement returns how many rows it changed") { subject in
                let room = RelationalRoom(subject)
                for name in ["a", "b", "c"] { try await room.add(name) }
                let tenant = room.tenant
                let changed = try await room.store.write(in: room.scope) { transaction in
                    try transaction.execute(
                        "UPDATE contract_items SET count = count + \(1) WHERE tenant_id = \(tenant) AND name <> \("a")")
                }
                try require(changed, is: 2)
            },
        ]
    }

    static var batches: [Clause] {
        [1, 15, 16, 1000].map { size in
            Clause("relational/insert-\(size)", "A batch of \(size) rows is inserted whole") { subject in
                let room = RelationalRoom(subject)
                let changed = try await insert(size, into: room, conflict: nil)
                try require(changed, is: size)
                let rows = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows("SELECT name, raw, flag FROM contract_items ORDER BY count")
                }
                try require(rows.count, is: size)
                try require(try rows[size - 1].get("name", as: String.self), is: "item \"\(size - 1)\" \\ \t{,}")
                try require(
                    try rows[size - 1].get("raw", as: [UInt8].self), is: [UInt8(truncatingIfNeeded: size - 1), 0])
            }
        } + [
            Clause("relational/insert-conflict-nothing", "A conflict clause is obeyed for each row of a batch") {
                subject in
                let room = RelationalRoom(subject)
                try await insert(20, into: room, conflict: nil)
                let changed = try await insert(30, into: room, conflict: "ON CONFLICT (tenant_id, name) DO NOTHING")
                try require(changed, is: 10)
            },
            Clause("relational/insert-conflict-update", "Of rows with the same key in one batch the last one wins") {
                subject in
                let room = RelationalRoom(subject)
                let tenant = room.tenant
                let rows: [[SQLValue]] = (0..<40).map { number in
                    [
                        room.newID().sqlValue, tenant.sqlValue, .text("key \(number % 4)"), .integer(Int64(number)),
                        .boolean(true),
                    ]
                }
                _ = try await room.store.write(in: room.scope) { transaction in
                    _ = try transaction.insert(
                        into: "contract_items", columns: ["id", "tenant_id", "name", "count", "flag"], rows: rows,
                        conflict: "ON CONFLICT (tenant_id, name) DO UPDATE SET count = excluded.count")
                }
                let counts = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows("SELECT count FROM contract_items ORDER BY name").map {
                        try $0.get("count", as: Int.self)
                    }
                }
                try require(counts, is: [36, 37, 38, 39])
            },
        ]
    }

    @discardableResult
    private static func insert(_ size: Int, into room: RelationalRoom, conflict: SQL?) async throws -> Int {
        let tenant = room.tenant
        let rows: [[SQLValue]] = (0..<size).map { number in
            [
                room.newID().sqlValue, tenant.sqlValue, .text("item \"\(number)\" \\ \t{,}"), .integer(Int64(number)),
                .null, .boolean(number % 2 == 0), .text("{\"n\": \(number)}"),
                .bytes([UInt8(truncatingIfNeeded: number), 0]),
            ]
        }
        return try await room.store.write(in: room.scope) { transaction in
            try transaction.insert(
                into: "contract_items", columns: ["id", "tenant_id", "name", "count", "ratio", "flag", "body", "raw"],
                rows: rows, conflict: conflict)
        }
    }
}
