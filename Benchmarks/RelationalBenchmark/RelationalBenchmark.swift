import ConnectionKit
import Foundation
import PostgresAdapter
import Synchronization
import VigilModel
import VigilPorts

/// Measures the relational port on a PostgreSQL server; `Benchmarks/relational` measures pgbench and psql beside it.
///
/// Prints one line `name value unit` per figure.
@main
enum RelationalBenchmark {
    static let tenant = TenantID(high: 9, low: 1)
    static let scope = AccessScope(tenant: tenant)

    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count == 4, arguments[1] == "batch", let round = Int(arguments[3]) {
            return try await batch(PostgresStore.open(PostgresConfiguration(url: arguments[2])), round)
        }
        guard arguments.count == 4, let connections = Int(arguments[2]), let seconds = Double(arguments[3]) else {
            print("RelationalBenchmark URL CONNECTIONS SECONDS, then RelationalBenchmark batch URL ROUND")
            exit(2)
        }
        try await handOver()
        var configuration = PostgresConfiguration(url: arguments[1])
        configuration.pool.maximum = connections
        _ = try await PostgresMigrator(configuration, backup: {}).up(migrations, to: nil, dryRun: false)
        let store = try await PostgresStore.open(configuration)
        try await fill(store)
        try await pointReads(store, tasks: connections, seconds: seconds)
        await store.close()
    }

    static let migrations = [
        Migration.outbox,
        Migration(
            number: 2, name: "bench",
            up: """
                CREATE TABLE bench_items (
                    id {{id}} PRIMARY KEY, tenant_id {{id}} NOT NULL, name {{text}} NOT NULL, count {{int}} NOT NULL,
                    ratio {{real}}, flag {{bool}} NOT NULL, at {{time}} NOT NULL
                ) {{strict}};
                CREATE INDEX bench_items_tenant ON bench_items (tenant_id, id);
                """,
            down: "DROP TABLE bench_items;"),
    ]

    static func item(_ number: Int) -> DeviceID { DeviceID(high: 10, low: UInt64(number)) }

    static func rows(_ numbers: Range<Int>) -> [[SQLValue]] {
        numbers.map { number in
            [
                item(number).sqlValue, tenant.sqlValue, .text("item \(number) of the benchmark"),
                .integer(Int64(number)), .real(Double(number) / 7), .boolean(number % 2 == 0),
                .integer(1_700_000_000_000_000 + Int64(number)),
            ]
        }
    }

    static func insert(_ numbers: Range<Int>, into store: PostgresStore) async throws -> Duration {
        let rows = rows(numbers)
        return try await ContinuousClock().measure {
            _ = try await store.write(in: scope) { transaction in
                try transaction.insert(
                    into: "bench_items", columns: ["id", "tenant_id", "name", "count", "ratio", "flag", "at"],
                    rows: rows, conflict: nil)
            }
        }
    }

    static func fill(_ store: PostgresStore) async throws {
        _ = try await store.write(in: SystemScope.allTenants("benchmark")) { transaction in
            try transaction.execute("DELETE FROM bench_items")
        }
        _ = try await insert(1..<10_001, into: store)
    }

    static func pointReads(_ store: PostgresStore, tasks: Int, seconds: Double) async throws {
        for warm in [true, false] {
            let clock = ContinuousClock()
            let end = clock.now + .seconds(warm ? 1 : seconds)
            let start = clock.now
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<tasks {
                    group.addTask {
                        var done = 0
                        while clock.now < end {
                            let id = item(Int.random(in: 1...10_000))
                            let found = try await store.read(in: scope) { transaction in
                                try transaction.rows("SELECT name, count, ratio FROM bench_items WHERE id = \(id)")
                                    .count
                            }
                            guard found == 1 else { throw StoreError(.internalFault, "A row is not there") }
                            done += 1
                        }
                        return done
                    }
                }
                return try await group.reduce(0, +)
            }
            let elapsed = (clock.now - start) / .seconds(1)
            if !warm { print("point-read \(Int(Double(count) / elapsed)) per-second") }
        }
    }

    /// One batch, after a small one that makes the connection know the table.
    static func batch(_ store: PostgresStore, _ round: Int) async throws {
        let start = round * 100_000
        _ = try await insert(start + 50_000..<start + 50_100, into: store)
        let time = try await insert(start..<start + 10_000, into: store)
        print(Int(10_000 / (time / .seconds(1))))
        await store.close()
    }

    /// How long it takes from giving a connection back until the next of 64 waiting tasks has it.
    static func handOver() async throws {
        let pool = ConnectionPool(PoolSettings(maximum: 1)) { StillConnection() }
        let rounds = 2000
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask { for _ in 0..<rounds { try await pool.withConnection { _ in } } }
            }
            try await group.waitForAll()
        }
        let each = (clock.now - start) / .microseconds(1) / Double(64 * rounds)
        print("hand-over \((each * 100).rounded() / 100) microseconds")
        await pool.close()
    }
}

/// A connection to nothing.
private final class StillConnection: PooledConnection {
    var isUsable: Bool { true }
    func close() async {}
}
