import Blobs
import Foundation
import HTTPTypes
import LocalEngine
import RelationalEngine
import SQLStores
import SeriesEngine
import TemporaryFolders
import Testing
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

@testable import Assembly

/// No list asks the store once per row: as many statements for thirty of everything as for three.
@Suite struct StatementCountTests {
    @Test func `a list takes as many statements for thirty rows as for three`() async throws {
        let folder = try TemporaryFolder("vigil-statements")
        let clock = SystemClock()
        let sqlite = try SQLiteStore(path: folder.file("vigil.db"))
        _ = try await SQLiteMigrator(sqlite, backups: nil, clock: clock)
            .up(Migrations.all(StoreFactory.migrations), to: nil, dryRun: false)
        let relational = CountingStore(sqlite)
        let core = Core(
            stores: Stores(
                relational: relational,
                series: try await SeriesEngine.open(folder: folder.file("series"), clock: clock),
                cache: LocalCache(clock: clock), locks: LocalLocks(clock: clock), limits: LocalRateLimits(clock: clock),
                bus: LocalBus(), jobs: SQLJobQueue(relational, clock: clock),
                blobs: try FolderBlobs(folder: folder.file("blobs"))), clock: clock, key: .random())
        try await core.identity.createLocalTenant("t")
        let caller = Caller(
            table: EndpointTable(core.api()), principal: try await core.identity.localPrincipal(tenant: "t"))

        try await caller.fill(0..<3)
        _ = try await counts(caller, relational)  // What is read once and kept is read now.
        let few = try await counts(caller, relational)
        try await caller.fill(3..<30)
        _ = try await counts(caller, relational)
        let many = try await counts(caller, relational)

        #expect(few.count > 20)
        for (path, count) in few {
            #expect((many[path] ?? 0) <= count, "\(path): \(count) statements for 3 rows, \(many[path] ?? 0) for 30")
        }
        await core.close()
    }

    private func counts(_ caller: Caller, _ store: CountingStore) async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for endpoint in caller.table.endpoints where endpoint.method == .get && endpoint.access != .local {
            let path = endpoint.path.replacing("{site}", with: "site0").replacing("{device}", with: "device0")
            // What tells of the installation is no list, and keeps what it found for a while.
            guard path.hasPrefix("/api/"), !path.contains("{"), !path.hasPrefix("/api/live") else { continue }
            _ = store.count.take()
            // A question that lacks its words is refused, which takes no statements.
            let isPaged = endpoint.parameters.contains { $0.name == "limit" }
            _ = try? await caller.call(.get, path, query: isPaged ? [(name: "limit", value: "500")] : [])
            counts[path] = store.count.take()
        }
        return counts
    }
}

/// Calls endpoints as one principal.
struct Caller {
    let table: EndpointTable
    let principal: Principal

    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String = "", query: [(name: String, value: String)] = []
    ) async throws -> Response {
        try await table.respond(
            to: Request(
                method: method, path: path, query: query, headers: [.contentType: "application/json"],
                body: RequestBody(bytes: Array(body.utf8)), principal: principal))
    }

    /// Makes one of everything for each number.
    func fill(_ numbers: Range<Int>) async throws {
        for n in numbers {
            try await call(.post, "/api/sites", #"{"code": "site\#(n)", "name": "Site \#(n)"}"#)
            try await call(
                .post, "/api/locations",
                #"{"site": "site0", "code": "room\#(n)", "name": "Room \#(n)", "kind": "room"}"#)
            try await call(.post, "/api/profiles", #"{"code": "profile\#(n)", "name": "Profile \#(n)"}"#)
            try await call(
                .post, "/api/devices",
                #"""
                {"code": "device\#(n)", "name": "Device \#(n)", "site": "site0", "location": "room\#(n)",
                    "profile": "profile\#(n)"}
                """#)
            try await call(
                .post, "/api/rules",
                #"{"name": "Rule \#(n)", "metric": "heat\#(n)", "condition": "above", "threshold": 1}"#)
            try await call(
                .post, "/api/readings",
                #"""
                [{"device": "device\#(n)", "metric": "heat\#(n)", "value": 5},
                    {"device": "stranger\#(n)", "metric": "x", "value": 5}]
                """#)
            // Passwords are slow to hash, on purpose: some more users show as much as many more.
            if n < 6 {
                try await call(
                    .post, "/api/users",
                    #"{"username": "user\#(n)", "password": "correct horse battery", "roles": ["viewer"]}"#)
            }
            try await call(
                .post, "/api/roles", #"{"code": "role\#(n)", "name": "Role", "permissions": ["alert:read"]}"#)
        }
    }
}
