import ManualClock
import PostgresAdapter
import PostgresServers
import SQLStores
import StoreContracts
import Testing
import VigilModel
import VigilPorts

/// The queue of jobs on every server that is there: `FOR UPDATE SKIP LOCKED`.
@Suite(.serialized, .enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresJobsTests {
    @Test(arguments: PostgresServer.all, JobsContract.clauses)
    func `the queue on PostgreSQL keeps the contract`(
        _ server: PostgresServer, _ clause: JobsContract.Clause
    ) async throws {
        let template = await JobDatabases.shared.template(on: server)
        let database = try await template.copy()
        let store = try await PostgresStore.open(database.configuration)
        let clock = ManualClock()
        let settings = SQLJobQueue.Settings(waitingLimit: JobsContract.waitingLimit)
        let queue: any JobQueue = SQLJobQueue(store, clock: clock, settings: settings)
        try await ContractReport.shared.check(
            clause, port: "jobs", store: server.testDescription, TimedSubject(queue) { clock.advance($0) })
        await store.close()
        try await template.drop(database)
    }

    @Test(arguments: PostgresServer.all)
    func `many workers share a queue, and none waits for another's job`(_ server: PostgresServer) async throws {
        let template = await JobDatabases.shared.template(on: server)
        let database = try await template.copy()
        let store = try await PostgresStore.open(database.configuration)
        let queue = SQLJobQueue(store, clock: ManualClock())
        for number in 0..<60 {
            _ = try await queue.enqueue(JobDraft(tenant: nil, kind: "k", payload: .integer(Int64(number))))
        }
        let taken = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    var mine: [JobID] = []
                    while true {
                        do {
                            guard let job = try await queue.take(["k"], limit: 1, lease: .minutes(1)).first else {
                                return mine
                            }
                            mine.append(job.id)
                        } catch let error as StoreError where error.code == .contention {
                            // Six workers on a busy machine may stand in each other's way ten times; they ask again.
                            await Task.yield()
                        }
                    }
                }
            }
            return try await group.reduce(into: [JobID]()) { $0 += $1 }
        }
        #expect(taken.count == 60)
        #expect(Set(taken).count == 60)
        await store.close()
        try await template.drop(database)
    }
}

/// One migrated database per server, to be copied.
private actor JobDatabases {
    static let shared = JobDatabases()
    private var templates: [Int: PostgresTemplate] = [:]

    func template(on server: PostgresServer) -> PostgresTemplate {
        if let known = templates[server.version] { return known }
        let template = PostgresTemplate(server, [.outbox, .jobs])
        templates[server.version] = template
        return template
    }
}
