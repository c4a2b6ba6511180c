import VigilPorts

extension DatabaseContract {
    private static func step(_ number: Int, _ up: String, _ down: String) -> Migration {
        Migration(number: number, name: "step_\(number)", up: up, down: down)
    }

    private static let three = step(3, "CREATE TABLE three (id {{int}} PRIMARY KEY) {{strict}};", "DROP TABLE three;")
    private static let broken = step(
        4, "CREATE TABLE four (id {{int}} PRIMARY KEY) {{strict}}; SELECT no_such;", "DROP TABLE four;")
    private static var base: [Migration] { [.outbox, DatabaseRoom.tables] }

    static var migrations: [Clause] {
        [
            Clause("database/migrate-up-down", "Migrations are applied once, in order, and taken back from the last") {
                try await $0.inRoom { room in
                    let all = base + [three]
                    try require(try await room.migrator.status(all).map(\.state), is: [.applied, .applied, .pending])
                    try require(try await room.migrator.up(all, to: 2, dryRun: false).count, is: 0)
                    try require(try await room.migrator.up(all, to: nil, dryRun: false).map(\.number), is: [3])
                    try require(try await room.migrator.up(all, to: nil, dryRun: false).count, is: 0)
                    try await room.run("INSERT INTO three (id) VALUES (1)")
                    try require(try await room.migrator.down(all, steps: 2).map(\.number), is: [3, 2])
                    try require(try await room.migrator.status(all).map(\.state), is: [.applied, .pending, .pending])
                    try await requireError(.invalid) { try await room.run("DELETE FROM three") }
                    try require(try await room.migrator.up(all, to: nil, dryRun: false).map(\.number), is: [2, 3])
                }
            },
            Clause("database/migrate-dry-run", "A dry run says what would be applied and leaves nothing") {
                try await $0.inRoom { room in
                    let tried = try await room.migrator.up(base + [three], to: nil, dryRun: true)
                    try require(tried.map(\.number), is: [3])
                    try require(try await room.migrator.status(base + [three]).map(\.state).last, is: .pending)
                    try await requireError(.invalid) { try await room.run("DELETE FROM three") }
                }
            },
            Clause(
                "database/migrate-one-transaction",
                "A migration that fails leaves nothing of itself, and what came before it stays"
            ) {
                try await $0.inRoom { room in
                    let all = base + [three, broken]
                    try await requireError(.invalid) { try await room.migrator.up(all, to: nil, dryRun: false) }
                    try require(
                        try await room.migrator.status(all).map(\.state), is: [.applied, .applied, .applied, .pending])
                    try await requireError(.invalid) { try await room.run("DELETE FROM four") }
                }
            },
            Clause("database/migrate-together", "Of two that migrate at once, each migration is applied by one") {
                try await $0.inRoom { room in
                    let all = base + [three]
                    async let first = room.migrator.up(all, to: nil, dryRun: false)
                    async let second = room.migrator.up(all, to: nil, dryRun: false)
                    let (one, other) = (try await first, try await second)
                    try require((one + other).map(\.number), is: [3])
                }
            },
            Clause("database/migrate-data", "A step in Swift runs in the migration's transaction") {
                try await $0.inRoom { room in
                    let data = Migration(number: 3, name: "data", up: three.up, down: three.down) { transaction in
                        try transaction.execute("INSERT INTO three (id) VALUES (42)")
                    }
                    _ = try await room.migrator.up(base + [data], to: nil, dryRun: false)
                    try require(try await room.column("SELECT id FROM three"), is: [42])
                }
            },
            Clause(
                "database/migrate-changed", "A migration that changed after it was applied is refused with invalid"
            ) {
                try await $0.inRoom { room in
                    let changed = step(2, "SELECT 1;", "SELECT 2;")
                    try require(
                        try await room.migrator.status([.outbox, changed]).map(\.state), is: [.applied, .changed])
                    try await requireError(.invalid) {
                        try await room.migrator.up([.outbox, changed, three], to: nil, dryRun: false)
                    }
                }
            },
            Clause("database/migrate-newer", "A database of a newer Vigil is refused with newerSchema") {
                try await $0.inRoom { room in
                    try await requireError(.newerSchema) {
                        try await room.migrator.up([.outbox], to: nil, dryRun: false)
                    }
                    try require(try await room.migrator.status([.outbox]).map(\.state), is: [.applied, .unknown])
                }
            },
        ]
    }
}
