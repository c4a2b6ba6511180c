import VigilModel
import VigilPorts

extension RelationalContract {
    static var scopes: [Clause] {
        [
            Clause(
                "relational/row-security",
                "Rows of another tenant do not show (declared where the engine has no row security)"
            ) {
                subject in
                guard subject.hasRowSecurity else { return }
                let mine = RelationalRoom(subject)
                let theirs = RelationalRoom(subject)
                let id = try await mine.add("a")
                try require(try await theirs.count(of: id), is: nil)
                let changed = try await theirs.store.write(in: theirs.scope) { transaction in
                    try transaction.execute("UPDATE contract_items SET count = \(9) WHERE id = \(id)")
                }
                try require(changed, is: 0)
                let code = await RelationalRoom.code {
                    _ = try await theirs.store.write(in: theirs.scope) { transaction in
                        try RelationalRoom.add(theirs.newID(), mine.tenant, "b", 1, in: transaction)
                    }
                }
                try require(code, is: .internalFault)
            },
            Clause("relational/system-scope", "A scope without a tenant sees all tenants") { subject in
                let first = RelationalRoom(subject)
                let second = RelationalRoom(subject)
                let ids = [try await first.add("a"), try await second.add("a")]
                let found = try await first.store.read(in: SystemScope.allTenants("contract")) { transaction in
                    try transaction.rows("SELECT id FROM contract_items WHERE id IN \(ids)").count
                }
                try require(found, is: 2)
            },
        ]
    }

    static var outbox: [Clause] {
        [
            Clause("relational/outbox-order", "Entries are read in order after a position, at most the limit") {
                subject in
                let room = RelationalRoom(subject)
                let start = try await end(of: room)
                for batch in 0..<3 {
                    _ = try await room.store.write(in: room.scope) { transaction in
                        for item in 0..<2 { try transaction.appendToOutbox(message(room, "\(batch).\(item)")) }
                    }
                }
                let first = try await mine(room, after: start, limit: 10_000, expecting: 6)
                try require(first.map(\.message.aggregateID), is: ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"])
                try require(first.map(\.position), is: first.map(\.position).sorted())
                let rest = try await mine(room, after: first[2].position, limit: 10_000)
                try require(rest.map(\.message.aggregateID), is: ["1.1", "2.0", "2.1"])
                try require(try await room.store.outbox(after: start, limit: 1).count, is: 1)
            },
            Clause("relational/outbox-rollback", "What is rolled back never shows in the outbox") { subject in
                let room = RelationalRoom(subject)
                let start = try await end(of: room)
                _ = await RelationalRoom.code {
                    _ = try await room.store.write(in: room.scope) { transaction in
                        try transaction.appendToOutbox(message(room, "lost"))
                        throw Refusal()
                    }
                }
                try require(try await mine(room, after: start, limit: 10_000).count, is: 0)
            },
            Clause(
                "relational/outbox-complete",
                "A reader that remembers its position misses nothing of concurrent writers"
            ) {
                subject in
                let room = RelationalRoom(subject)
                let start = try await end(of: room)
                let seen = try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            for number in 0..<15 {
                                _ = try await room.store.write(in: room.scope) { transaction in
                                    try transaction.appendToOutbox(message(room, "\(writer).\(number)"))
                                }
                            }
                        }
                    }
                    var seen: [String] = []
                    var position = start
                    func follow() async throws {
                        let entries = try await room.store.outbox(after: position, limit: 7)
                        position = entries.last?.position ?? position
                        seen += entries.filter { $0.message.tenant == room.tenant }.map(\.message.aggregateID)
                    }
                    // While they write, and then for what shows only after the last of them: a busy disk makes them slow.
                    for _ in 0..<200 { try await follow() }
                    try await group.waitForAll()
                    let end = patience
                    while seen.count < 60, ContinuousClock.now < end { try await follow() }
                    return seen
                }
                try require(Set(seen).count, is: 60)
                try require(seen.count, is: 60)
                for writer in 0..<4 {
                    let own = seen.filter { $0.hasPrefix("\(writer).") }
                    try require(own, is: (0..<15).map { "\(writer).\($0)" })
                }
            },
        ]
    }

    private static func message(_ room: RelationalRoom, _ id: String) -> OutboxMessage {
        OutboxMessage(
            tenant: room.tenant, type: "contract.happened", aggregate: "contract", aggregateID: id,
            data: .object(["id": .string(id)]), time: Timestamp(seconds: 1_700_000_000))
    }

    private static func end(of room: RelationalRoom) async throws -> OutboxPosition {
        var position = OutboxPosition.start
        while let last = try await room.store.outbox(after: position, limit: 10_000).last { position = last.position }
        return position
    }

    /// How long an entry may stay unseen: as long as the oldest transaction of the whole server, whoever runs it.
    private static var patience: ContinuousClock.Instant { .now + .seconds(60) }

    /// Asks until there are `count`: an entry may show later than its commit, while an older transaction runs.
    private static func mine(
        _ room: RelationalRoom, after start: OutboxPosition, limit: Int, expecting count: Int = 0
    ) async throws -> [OutboxEntry] {
        var found: [OutboxEntry] = []
        let end = patience
        repeat {
            found = try await room.store.outbox(after: start, limit: limit).filter { $0.message.tenant == room.tenant }
        } while found.count < count && ContinuousClock.now < end
        return found
    }

    static var portability: [Clause] {
        [
            Clause("relational/dialect", "Each dialect function means the same on every engine") { subject in
                let room = RelationalRoom(subject)
                try await room.add("Älpha_1%", count: 1)
                try await room.add("beta", count: 2)
                let dialect = room.store.dialect
                let row = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows(
                        """
                        SELECT \(dialect.joinedText("name", separator: "; ", orderBy: "name DESC")) AS names,
                            \(dialect.jsonList("count")) AS counts,
                            max(\(dialect.greater("count", "3"))) AS high, min(\(dialect.lesser("count", "0"))) AS low
                        FROM contract_items
                        """)[0]
                }
                try require(try row.get("names", as: String.self), is: "Älpha_1%; beta")
                guard case .array(let counts) = try row.get("counts", as: JSONValue.self) else {
                    throw ContractBroken("no list")
                }
                try require(counts.count, is: 2)
                try require(try row.get("high", as: Int64.self), is: 3)
                try require(try row.get("low", as: Int64.self), is: 0)
            },
            Clause("relational/text-match", "Text is matched literally, ignoring the case of ASCII letters only") {
                subject in
                let room = RelationalRoom(subject)
                try await room.add("Älpha_1%")
                for (part, found) in [("LPHA_1%", 1), ("lpha_", 1), ("l_ha", 0), ("Ä", 1), ("ä", 0), ("", 1)] {
                    let sql = room.store.dialect.containsText("name", part)
                    let count = try await room.store.read(in: room.scope) { transaction in
                        try transaction.rows("SELECT id FROM contract_items WHERE \(sql)").count
                    }
                    try require(count == found, "'\(part)' matches \(count) times, not \(found)")
                }
            },
            Clause("relational/text-order", "Text is ordered by its bytes, whatever the database's own order") {
                subject in
                let room = RelationalRoom(subject)
                for name in ["b", "a", "B", "ä", "_", "z"] { try await room.add(name) }
                let names = try await room.store.read(in: room.scope) { transaction in
                    try transaction.rows("SELECT name FROM contract_items ORDER BY name").map {
                        try $0.get("name", as: String.self)
                    }
                }
                try require(names, is: ["B", "_", "a", "b", "z", "ä"])
            },
            Clause("relational/json-text", "A member of a JSON column is read as text, NULL when it is not there") {
                subject in
                let room = RelationalRoom(subject)
                let id = try await room.add("a")
                let body = JSONValue.object(["a": .object(["b\"c": .string("é")]), "n": .integer(7)])
                let dialect = room.store.dialect
                let row = try await room.store.write(in: room.scope) { transaction in
                    try transaction.execute("UPDATE contract_items SET body = \(body) WHERE id = \(id)")
                    return try transaction.rows(
                        """
                        SELECT \(dialect.jsonText("body", ["a", "b\"c"])) AS deep, \(dialect.jsonText("body", ["n"])) AS number,
                            \(dialect.jsonText("body", ["none"])) AS missing FROM contract_items WHERE id = \(id)
                        """)[0]
                }
                try require(row.values, is: [.text("é"), .text("7"), .null])
            },
            Clause(
                "relational/constructs", "CTEs, windows, upserts with RETURNING, CASE and NULLS order are shared SQL"
            ) { subject in
                let room = RelationalRoom(subject)
                for (name, count) in [("a", 3), ("b", 1), ("c", 2)] { try await room.add(name, count: Int64(count)) }
                let id = room.newID()
                let tenant = room.tenant
                let (ranked, returned, nulls) = try await room.store.write(in: room.scope) { transaction in
                    let ranked = try transaction.rows(
                        """
                        WITH ranked AS (SELECT name, row_number() OVER (ORDER BY count) AS place FROM contract_items)
                        SELECT name, CASE WHEN place > \(1) THEN \(10) ELSE 0 END AS size FROM ranked ORDER BY place
                        """)
                    let returned = try transaction.rows(
                        """
                        INSERT INTO contract_items (id, tenant_id, name, count, flag)
                        VALUES (\(id), \(tenant), \("a"), \(5), \(true))
                        ON CONFLICT (tenant_id, name) DO UPDATE SET count = contract_items.count + excluded.count
                        RETURNING count
                        """)
                    try transaction.execute("UPDATE contract_items SET ratio = NULL WHERE name = \("b")")
                    let nulls = try transaction.rows(
                        "SELECT name FROM contract_items ORDER BY ratio DESC NULLS LAST, name LIMIT \(3)")
                    return (ranked, returned, nulls)
                }
                try require(try ranked.map { try $0.get("name", as: String.self) }, is: ["b", "c", "a"])
                try require(try ranked.map { try $0.get("size", as: Int.self) }, is: [0, 10, 10])
                try require(try returned[0].get("count", as: Int.self), is: 8)
                try require(try nulls.map { try $0.get("name", as: String.self) }, is: ["a", "c", "b"])
            },
        ]
    }
}
