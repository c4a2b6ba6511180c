import VigilModel
import VigilPorts

extension DatabaseContract {
    static var values: [Clause] {
        [
            Clause("database/texts", "Texts come back as they were bound: empty, of any script, large, hostile") {
                try await $0.inRoom { room in
                    let texts = [
                        "", " ", "'); DROP TABLE parents; --", "é e\u{301} 日本 \u{1F468}\u{200D}\u{1F469} \u{202E}",
                        "\\ % _ \" $1 ?",
                        "a\r\nb\tc", String(repeating: "long ", count: 200_000),
                    ]
                    for (index, text) in texts.enumerated() {
                        try await room.run("INSERT INTO parents (id, note) VALUES (\(index), \(text))")
                        try require(
                            try await room.column("SELECT note FROM parents WHERE note = \(text)"), is: [text])
                    }
                    try require(
                        try await room.column("SELECT count(*) AS n FROM parents WHERE note IN \(texts)"),
                        is: [texts.count])
                }
            },
            Clause("database/numbers", "Integers of 64 bits and doubles come back exactly") {
                try await $0.inRoom { room in
                    let integers: [Int64] = [.min, -1, 0, 1 << 53 + 1, .max]
                    for (index, value) in integers.enumerated() {
                        try await room.run("INSERT INTO parents (id, amount) VALUES (\(index), \(value))")
                    }
                    try require(try await room.column("SELECT amount FROM parents ORDER BY id"), is: integers)
                    let doubles = [0.1, -1e308, .leastNonzeroMagnitude, 1.0, 123_456_789.125]
                    for (index, value) in doubles.enumerated() {
                        try await room.run("UPDATE parents SET ratio = \(value) WHERE id = \(index)")
                    }
                    try require(try await room.column("SELECT ratio FROM parents ORDER BY id"), is: doubles)
                }
            },
            Clause("database/bytes", "Bytes come back as they were bound") {
                try await $0.inRoom { room in
                    for (index, bytes) in [[], [0], Array(0...255), [UInt8](repeating: 0, count: 1 << 20)].enumerated()
                    {
                        try await room.run("INSERT INTO parents (id, raw) VALUES (\(index), \(bytes))")
                        try require(
                            try await room.column("SELECT raw FROM parents WHERE id = \(index)"), is: [bytes])
                    }
                }
            },
            Clause("database/json", "JSON comes back equal") {
                try await $0.inRoom { room in
                    let values: [JSONValue] = [
                        .emptyObject, .array([.integer(1), .number(0.5), .null, .bool(true), .string("é\"\\")]),
                        .object(["a": .object(["b c": .string("x")])]),
                    ]
                    for (index, value) in values.enumerated() {
                        try await room.run("INSERT INTO parents (id, body) VALUES (\(index), \(value))")
                        try require(
                            try await room.column("SELECT body FROM parents WHERE id = \(index)"), is: [value])
                    }
                }
            },
            Clause("database/null-and-boolean", "NULL is told from a value, and booleans are booleans") {
                try await $0.inRoom { room in
                    let flags: [Bool?] = [true, false, nil]
                    for (index, flag) in flags.enumerated() {
                        try await room.run("INSERT INTO parents (id, flag) VALUES (\(index), \(flag))")
                    }
                    try require(try await room.column("SELECT flag FROM parents ORDER BY id"), is: flags)
                    try require(try await room.column("SELECT id FROM parents WHERE flag IS NULL"), is: [2])
                    try require(try await room.column("SELECT id FROM parents WHERE flag = \(false)"), is: [1])
                }
            },
            Clause("database/identifiers-and-times", "Identifiers and times come back equal") {
                try await $0.inRoom { room in
                    let id = DeviceID(at: DatabaseRoom.time)
                    let message = OutboxMessage(
                        tenant: id.renamed(), type: "a.b", aggregate: "device", aggregateID: id.description, device: id,
                        data: .null, time: .distantPast)
                    try await room.write { try $0.appendToOutbox(message) }
                    let entries = try await room.settledOutbox(1)
                    try require(entries.map(\.message), is: [message])
                }
            },
            Clause(
                "database/lists",
                "A list binds as many parameters as it has elements, and an empty one matches nothing"
            ) {
                try await $0.inRoom { room in
                    try await room.addParents(["a", "b", "c"])
                    let none: [String] = []
                    try require(
                        try await room.column("SELECT id FROM parents WHERE name IN \(["c", "a"]) ORDER BY id"),
                        is: [1, 3])
                    try require(
                        try await room.column("SELECT id FROM parents WHERE name IN \(none)", as: Int.self), is: [])
                    let many = (1...2000).map { Int($0) }
                    try require(
                        try await room.column("SELECT count(*) AS n FROM parents WHERE id IN \(many)"), is: [3])
                }
            },
        ]
    }

    static var statements: [Clause] {
        [
            Clause("database/row-limit", "One row more than the engine's limit throws limit") {
                try await $0.inRoom { room in
                    let limit = DatabaseSubject.rowLimit
                    _ = try await room.write { transaction in
                        try transaction.insert(
                            into: "parents", columns: ["id"], rows: (1...limit + 1).map { [.integer(Int64($0))] },
                            conflict: nil)
                    }
                    try require(
                        try await room.column("SELECT id FROM parents WHERE id <= \(limit)", as: Int.self).count,
                        is: limit)
                    try await requireError(.limit) { try await room.column("SELECT id FROM parents", as: Int.self) }
                }
            },
            Clause(
                "database/insert-batch",
                "A batch inserts all rows, and a conflict clause says what happens to those that are there"
            ) {
                try await $0.inRoom { room in
                    let rows: [[SQLValue]] = (0..<3000).map { [.integer(Int64($0)), .text("name \($0)")] }
                    func insert(_ rows: [[SQLValue]], _ conflict: SQL?) async throws -> Int {
                        try await room.write {
                            try $0.insert(into: "parents", columns: ["id", "name"], rows: rows, conflict: conflict)
                        }
                    }
                    try require(try await insert(rows, nil), is: 3000)
                    try require(try await insert([], nil), is: 0)
                    let more = Array(rows.suffix(10)) + [[.integer(5000), .text("new")]]
                    try require(try await insert(more, "ON CONFLICT (id) DO NOTHING"), is: 1)
                    try await requireError(.duplicate) { try await insert([[.integer(6000), .null]] + more, nil) }
                    try require(try await room.column("SELECT count(*) AS n FROM parents"), is: [3001])
                    let update: SQL = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, amount = \(7)"
                    try require(try await insert([[.integer(1), .text("other")]], update), is: 1)
                    try require(try await room.column("SELECT name FROM parents WHERE amount = 7"), is: ["other"])
                }
            },
            Clause("database/constraints", "Broken rules are told apart: duplicate, reference, constraint") {
                try await $0.inRoom { room in
                    try await room.addParents(["a"])
                    try await room.run("INSERT INTO children (id, parent_id) VALUES (1, 1)")
                    let cases: [(SQL, StoreError.Code)] = [
                        ("INSERT INTO parents (id) VALUES (1)", .duplicate),
                        ("INSERT INTO parents (id, name) VALUES (2, 'a')", .duplicate),
                        ("INSERT INTO children (id, parent_id) VALUES (2, 99)", .reference),
                        ("DELETE FROM parents WHERE id = 1", .reference),
                        ("INSERT INTO children (id, parent_id) VALUES (3, NULL)", .constraint),
                        ("INSERT INTO parents (id, name) VALUES (3, 'forbidden')", .constraint),
                        ("SELECT no_such FROM parents", .invalid), ("INSERT INTO no_such VALUES (1)", .invalid),
                    ]
                    for (sql, code) in cases { try await requireError(code) { try await room.run(sql) } }
                }
            },
        ]
    }
}
