import ConnectionKit
import Foundation
import PostgresAdapter
import PostgresServers
import StoreContracts
import Testing
import VigilModel
import VigilPorts

/// What happens when servers die, hang, or refuse.
@Suite(.serialized, .enabled(if: ReplicaPair.areAvailable, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresFaultTests {
    private let scope = AccessScope(tenant: TenantID(at: Timestamp(seconds: 1)))

    private static func add(_ name: String, to store: PostgresStore, in scope: AccessScope) async throws {
        guard let tenant = scope.tenant else { return }
        _ = try await store.write(in: scope) { transaction in
            try transaction.execute(
                """
                INSERT INTO contract_items (id, tenant_id, name, count, flag)
                VALUES (\(DeviceID(at: Timestamp(seconds: 1))), \(tenant), \(name), 0, \(true))
                """)
        }
    }

    private static func names(_ store: PostgresStore, in scope: AccessScope) async throws -> Set<String> {
        try await store.read(in: scope) { transaction in
            Set(try transaction.rows("SELECT name FROM contract_items").map { try $0.get("name", as: String.self) })
        }
    }

    @Test(arguments: [(15, 56_001), (17, 56_011)])
    func `the primary is killed under load, and nothing acknowledged is lost`(_ version: Int, _ port: Int) async throws
    {
        let pair = try ReplicaPair.start(version: version, ports: (port, port + 1))
        defer { pair.end() }
        let database = try await pair.primary.database()
        let store = try await PostgresStore.open(pair.configuration(database))
        let scope = scope
        let acknowledged = await withTaskGroup(of: [String].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var done: [String] = []
                    for number in 0..<200 {
                        let name = "\(writer).\(number)"
                        // Half way one writer kills the primary and promotes the standby.
                        if writer == 0, number == 100 {
                            kill(pair.primaryPID, SIGQUIT)
                            try? await pair.standby.administer(in: "postgres", ["SELECT pg_promote(true, 20)"])
                        }
                        if (try? await Self.add(name, to: store, in: scope)) != nil { done.append(name) }
                    }
                    return done
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        let stored = try await Self.names(store, in: scope)
        #expect(acknowledged.allSatisfy(stored.contains), "lost: \(acknowledged.filter { !stored.contains($0) })")
        // Without a restart: those that came after the takeover were served, all but what was in flight.
        #expect(acknowledged.count >= 790, "only \(acknowledged.count) of 800 were acknowledged")
        await store.close()
    }

    @Test func `a standby serves what may be recent, and never behind what this process wrote`() async throws {
        let pair = try ReplicaPair.start(version: 17, ports: (56_021, 56_022))
        defer { pair.end() }
        let store = try await PostgresStore.open(pair.configuration(try await pair.primary.database()))
        var served = 0
        for round in 0..<300 {
            try await Self.add("\(round)", to: store, in: scope)
            let (isStandby, count) = try await store.read(.recent, in: scope) { transaction in
                (
                    try transaction.rows("SELECT pg_is_in_recovery() AS standby")[0].get("standby", as: Bool.self),
                    try transaction.rows("SELECT count(*) AS count FROM contract_items")[0].get("count", as: Int.self)
                )
            }
            #expect(count == round + 1)
            if isStandby { served += 1 }
        }
        // One that has not caught up in time cannot serve, and the primary does; most of the time it has.
        #expect(served > 100, "the standby served \(served) of 300")
        // It goes on without the standby, and what must be current never went there.
        kill(pair.standbyPID, SIGQUIT)
        try await pair.primary.administer(
            in: "postgres", ["ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()"])
        let count = try await store.read(.recent, in: scope) { transaction in
            try transaction.rows("SELECT count(*) AS count FROM contract_items")[0].get("count", as: Int.self)
        }
        #expect(count == 300)
        await store.close()
    }

    @Test func `a server that hangs costs its time limit, and is used again when it goes on`() async throws {
        let pair = try ReplicaPair.start(version: 15, ports: (56_031, 56_032))
        defer { pair.end() }
        var configuration = try await pair.primary.database().configuration
        configuration.statementTimeout = .milliseconds(500)
        configuration.silenceTimeout = .milliseconds(200)
        configuration.failoverWindow = .milliseconds(500)
        configuration.connectTimeout = .seconds(2)
        configuration.pool.maximum = 1
        let store = try await PostgresStore.open(configuration)
        try await Self.add("before", to: store, in: scope)
        // The connection's own process hangs, not the postmaster alone.
        let backend = try await store.read(in: scope) { transaction in
            try transaction.rows("SELECT pg_backend_pid() AS pid")[0].get("pid", as: Int.self)
        }
        kill(Int32(backend), SIGSTOP)
        kill(pair.primaryPID, SIGSTOP)
        let error = await #expect(throws: StoreError.self) { try await Self.add("while", to: store, in: scope) }
        #expect(error?.isTransient == true)
        kill(Int32(backend), SIGCONT)
        kill(pair.primaryPID, SIGCONT)
        try await Self.add("after", to: store, in: scope)
        #expect(try await Self.names(store, in: scope) == ["before", "after"])
        await store.close()
    }

    @Test func `a call that is cancelled while the server hangs ends at once, and so does the store`() async throws {
        let pair = try ReplicaPair.start(version: 15, ports: (56_051, 56_052))
        defer { pair.end() }
        // With the usual limits, which would hold the call up for 35 seconds.
        let store = try await PostgresStore.open(try await pair.primary.database().configuration)
        let backend = try await store.read(in: scope) { transaction in
            try transaction.rows("SELECT pg_backend_pid() AS pid")[0].get("pid", as: Int.self)
        }
        kill(Int32(backend), SIGSTOP)
        kill(pair.primaryPID, SIGSTOP)
        let begun = ContinuousClock.now
        let scope = scope
        let call = Task { try await Self.add("while", to: store, in: scope) }
        try await SystemPoolClock().wait(until: begun + .milliseconds(200))
        call.cancel()
        await #expect(throws: StoreError.self) { try await call.value }
        await store.close()
        #expect(ContinuousClock.now - begun < .seconds(10))
        kill(Int32(backend), SIGCONT)
        kill(pair.primaryPID, SIGCONT)
    }

    @Test func `connections that the server ends are replaced without anybody noticing`() async throws {
        let server = try #require(PostgresServer.all.first)
        let database = try await server.database()
        let store = try await PostgresStore.open(database.configuration)
        for round in 0..<3 {
            try await Self.add("\(round)", to: store, in: scope)
            try await server.administer(
                in: "postgres",
                ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(database.name)'"])
        }
        try await Self.add("last", to: store, in: scope)
        #expect(try await Self.names(store, in: scope).count == 4)
        await store.close()
    }

    @Test func `when the server has no connection left, a call says so in time, and the next one works`() async throws {
        let server = try #require(PostgresServer.all.first)
        let database = try await server.database()
        try await server.administer(in: "postgres", ["ALTER ROLE \(database.name) CONNECTION LIMIT 1"])
        var configuration = database.configuration
        configuration.failoverWindow = .milliseconds(300)
        let holder = try await PostgresStore.open(configuration)
        let error = await #expect(throws: StoreError.self) { _ = try await PostgresStore.open(configuration) }
        #expect(error?.code == .unavailable)
        #expect(error?.details["reason"] == "connection slots")
        await holder.close()
        try await server.administer(in: "postgres", ["ALTER ROLE \(database.name) CONNECTION LIMIT -1"])
        let store = try await PostgresStore.open(configuration)
        try await Self.add("a", to: store, in: scope)
        await store.close()
    }

    @Test func `a wrong password and a missing database are told by name, without the password`() async throws {
        let server = try #require(PostgresServer.all.first)
        var configuration = try await server.database().configuration
        configuration.password = "s3cret-wrong"
        let refused = await #expect(throws: StoreError.self) { _ = try await PostgresStore.open(configuration) }
        #expect(refused?.details["reason"] == "authentication")
        #expect(refused?.description.contains("s3cret") == false)
        configuration.password = "plain"
        configuration.url = PostgresServer.url(server.url, database: "nowhere")
        let missing = await #expect(throws: StoreError.self) { _ = try await PostgresStore.open(configuration) }
        #expect(missing?.details["reason"] == "database")
    }

    @Test func `the server's certificate is checked: good, expired, of a stranger`() async throws {
        let pair = try ReplicaPair.start(version: 17, ports: (56_041, 56_042))
        defer { pair.end() }
        var configuration = try await pair.primary.database([]).configuration
        configuration.sslMode = "verify-full"
        configuration.rootCertificate =
            try #require(ProcessInfo.processInfo.environment["VIGIL_TEST_POSTGRES_TLS"]) + "/ca.crt"
        await (try PostgresStore.open(configuration)).close()
        let folder = "/run/vigil-engines/replica-56041-a.tls"
        for (certificate, key) in [("expired.crt", "expired.key"), ("stranger.crt", "server.key")] {
            try await pair.primary.administer(
                in: "postgres",
                [
                    "ALTER SYSTEM SET ssl_cert_file = '\(folder)/\(certificate)'",
                    "ALTER SYSTEM SET ssl_key_file = '\(folder)/\(key)'", "SELECT pg_reload_conf()",
                    "SELECT pg_sleep(0.3)",
                ])
            let error = await #expect(throws: StoreError.self) { await (try PostgresStore.open(configuration)).close() }
            #expect(error?.details["reason"] == "certificate", "\(certificate): \(String(describing: error))")
        }
    }
}
