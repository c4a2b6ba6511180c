import VigilModel
import VigilPorts

extension DatabaseContract {
    /// The SQL that services may write: each construct gives the same on every engine.
    static var constructs: [Clause] {
        let cases: [(String, SQL, [String?])] = [
            ("nulls-first", "SELECT name FROM parents ORDER BY name ASC NULLS FIRST", [nil, "B", "a", "b"]),
            ("nulls-last", "SELECT name FROM parents ORDER BY name DESC NULLS LAST", ["b", "a", "B", nil]),
            (
                "case", "SELECT CASE WHEN id > 3 THEN 'x' ELSE 'y' END AS v FROM parents ORDER BY id",
                ["y", "y", "y", "x"]
            ),
            ("coalesce", "SELECT coalesce(name, 'none') AS v FROM parents ORDER BY id", ["b", "a", "none", "B"]),
            (
                "exists", "SELECT name FROM parents p WHERE EXISTS (SELECT 1 FROM children c WHERE c.parent_id = p.id)",
                ["b"]
            ),
            (
                "left-join",
                "SELECT p.name FROM parents p LEFT JOIN children c ON c.parent_id = p.id WHERE c.id IS NULL ORDER BY p.id",
                ["a", nil, "B"]
            ),
            ("union", "SELECT 'x' AS v UNION ALL SELECT 'y' AS v ORDER BY v", ["x", "y"]),
            ("limit-offset", "SELECT name FROM parents ORDER BY id LIMIT \(1) OFFSET \(1)", ["a"]),
            (
                "recursive",
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT CAST(max(i) AS TEXT) AS v FROM n",
                ["3"]
            ),
            (
                "window",
                "SELECT name FROM (SELECT name, row_number() OVER (ORDER BY id DESC) AS place FROM parents) AS x WHERE place = 1",
                ["B"]
            ),
            (
                "group-having",
                "SELECT lower(name) AS v FROM parents WHERE name IS NOT NULL GROUP BY lower(name) HAVING count(*) > 1",
                ["b"]
            ),
            ("row-values", "SELECT name FROM parents WHERE (amount, id) > (\(0), \(3)) ORDER BY id", ["B"]),
            ("concatenation", "SELECT 'a' || \("b") AS v", ["ab"]),
            (
                "distinct-null", "SELECT name FROM parents WHERE name IS DISTINCT FROM \("a") AND id < 4 ORDER BY id",
                ["b", nil]
            ),
            ("filter", "SELECT CAST(count(*) FILTER (WHERE name IS NULL) AS TEXT) AS v FROM parents", ["1"]),
            ("substring", "SELECT substr('abc', 2, 1) AS v", ["b"]),
            ("cast", "SELECT CAST(id AS TEXT) AS v FROM parents WHERE id = 2", ["2"]),
        ]
        let reading = cases.map { name, sql, expected in
            Clause("database/sql-" + name, "The construct \(name) means the same on every engine") {
                try await $0.inRoom { room in
                    try await room.addParents(["b", "a", nil, "B"])
                    try await room.run("INSERT INTO children (id, parent_id) VALUES (1, 1)")
                    try require(try await room.column(sql, as: String.self), is: expected)
                }
            }
        }
        return reading + [returning, updateFrom]
    }

    private static var returning: Clause {
        Clause("database/sql-returning", "INSERT, UPDATE and DELETE return what RETURNING names") {
            try await $0.inRoom { room in
                let names = try await room.write { transaction in
                    try transaction.rows("INSERT INTO parents (id, name) VALUES (1, 'a'), (2, 'b') RETURNING name")
                        + transaction.rows("UPDATE parents SET name = 'c' WHERE id = 1 RETURNING name")
                        + transaction.rows("DELETE FROM parents WHERE id = 2 RETURNING name")
                }
                try require(names.map(\.values), is: [[.text("a")], [.text("b")], [.text("c")], [.text("b")]])
            }
        }
    }

    private static var updateFrom: Clause {
        Clause("database/sql-update-from", "UPDATE … FROM takes values of another table") {
            try await $0.inRoom { room in
                try await room.addParents(["a", "b"])
                try await room.run("INSERT INTO children (id, parent_id) VALUES (5, 2)")
                try await room.run(
                    "UPDATE parents SET amount = c.id FROM children AS c WHERE c.parent_id = parents.id")
                try require(try await room.column("SELECT amount FROM parents ORDER BY id"), is: [0, 5])
            }
        }
    }

    static var dialect: [Clause] {
        [
            Clause("database/json-text", "jsonText gives a member as text, or NULL, whatever its name") {
                try await $0.inRoom { room in
                    let body = JSONValue.object([
                        "a": .object(["b c": .string("x"), "n": .integer(7)]), "q\"uote": .string("y"),
                        "d.o": .string("z"),
                        "é": .bool(true),
                    ])
                    try await room.run("INSERT INTO parents (id, body) VALUES (1, \(body))")
                    let cases: [([String], String?)] = [
                        (["a", "b c"], "x"), (["a", "n"], "7"), (["q\"uote"], "y"), (["d.o"], "z"), (["none"], nil),
                        (["a", "none", "b"], nil),
                    ]
                    for (path, expected) in cases {
                        let text = room.dialect.jsonText("body", path)
                        let found = try await room.column("SELECT \(text) AS v FROM parents", as: String.self)
                        try require(found == [expected], "\(path) is \(found), not \(expected ?? "NULL")")
                    }
                }
            },
            Clause("database/contains-text", "containsText takes its part literally and ignores the case of ASCII") {
                try await $0.inRoom { room in
                    try await room.addParents(["100% sure", "under_score", "back\\slash", "it's \"q\"", "Étage ONE"])
                    let cases: [(String, [Int])] = [
                        ("%", [1]), ("_", [2]), ("\\", [3]), ("'", [4]), ("\"Q\"", [4]), ("one", [5]), ("SURE", [1]),
                        ("r_s", [2]), ("0%", [1]), ("", [1, 2, 3, 4, 5]), ("zzz", []),
                    ]
                    for (part, expected) in cases {
                        let holds = room.dialect.containsText("name", part)
                        let found = try await room.column(
                            "SELECT id FROM parents WHERE \(holds) ORDER BY id", as: Int.self)
                        try require(found == expected.map { $0 }, "\(part): \(found)")
                    }
                }
            },
            Clause("database/joined-text", "joinedText joins the values of a group in the order given") {
                try await $0.inRoom { room in
                    try await room.addParents(["c", "a", "b", nil])
                    let byName = room.dialect.joinedText("name", separator: ", ", orderBy: "name")
                    try require(try await room.column("SELECT \(byName) AS v FROM parents"), is: ["a, b, c"])
                    let byID = room.dialect.joinedText("name", separator: "'", orderBy: "0 - id")
                    try require(
                        try await room.column("SELECT \(byID) AS v FROM parents GROUP BY flag"), is: ["b'a'c"])
                    try require(
                        try await room.column("SELECT \(byName) AS v FROM parents WHERE id > 9", as: String.self),
                        is: [nil])
                }
            },
            Clause("database/json-list", "jsonList gives the values of a group as a JSON list") {
                try await $0.inRoom { room in
                    try await room.addParents(["x\"y", "z"])
                    let list = room.dialect.jsonList("name")
                    let found = try await room.column("SELECT \(list) AS v FROM parents", as: JSONValue.self)
                    let texts = (found.first ?? nil)?.elements?.compactMap(\.text).sorted()
                    try require(texts ?? [], is: ["x\"y", "z"])
                }
            },
            Clause("database/lesser-greater", "lesser and greater choose between two") {
                try await $0.inRoom { room in
                    let (less, more) = (room.dialect.lesser("\(3)", "\(5)"), room.dialect.greater("\(3)", "\(5)"))
                    try require(try await room.column("SELECT CAST(\(less) AS TEXT) AS v", as: String.self), is: ["3"])
                    try require(try await room.column("SELECT CAST(\(more) AS TEXT) AS v", as: String.self), is: ["5"])
                }
            },
        ]
    }
}
