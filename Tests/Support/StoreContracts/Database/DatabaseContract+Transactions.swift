import VigilPorts

extension DatabaseContract {
    private struct Mishap: Error {}

    static var transactions: [Clause] {
        [
            Clause("database/write-returns", "A write returns what its body returned, and a later read sees it") {
                try await $0.inRoom { room in
                    let changed = try await room.run("INSERT INTO parents (id, name) VALUES (1, \("one"))")
                    try require(changed, is: 1)
                    try require(try await room.column("SELECT name FROM parents"), is: ["one"])
                }
            },
            Clause("database/scope", "A transaction knows the scope it was opened with") {
                try await $0.inRoom { room in
                    try require(try await room.read { $0.scope } == DatabaseRoom.scope, "another scope")
                }
            },
            Clause("database/usable-after-errors", "An error ends its transaction and no other") {
                try await $0.inRoom { room in
                    for _ in 0..<30 {
                        try await requireError(.invalid) { try await room.run("SELEC") }
                        try await requireError(.invalid) { try await room.column("SELECT nothing", as: Int.self) }
                    }
                    try await room.run("INSERT INTO parents (id) VALUES (1)")
                    try require(try await room.column("SELECT id FROM parents"), is: [1])
                }
            },
        ]
    }

    static var isolation: [Clause] {
        [
            Clause("database/snapshot", "A read sees one snapshot, whatever is committed meanwhile") {
                try await $0.inRoom { room in
                    try await room.run("INSERT INTO parents (id) VALUES (1)")
                    let (begun, written) = (Signal(), Signal())
                    async let counts = room.read { transaction in
                        let before = try transaction.rows("SELECT id FROM parents").count
                        begun.set()
                        written.waitBriefly()
                        return [before, try transaction.rows("SELECT id FROM parents").count]
                    }
                    try await begun.wait()
                    try await room.run("INSERT INTO parents (id) VALUES (2)")
                    written.set()
                    try require(try await counts, is: [1, 1])
                    try require(try await room.column("SELECT count(*) AS n FROM parents"), is: [2])
                }
            }
        ]
    }

    static var lifetime: [Clause] {
        [
            Clause("database/close", "After close, calls throw unavailable") {
                try await $0.inRoom { room in
                    await room.store.close()
                    try await requireError(.unavailable) { try await room.run("DELETE FROM parents") }
                    try await requireError(.unavailable) { try await room.column("SELECT 1 AS a", as: Int.self) }
                }
            }
        ]
    }
}
