import ManualClock
import RelationalEngine
import SQLStores
import StoreContracts
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLJobQueueTests {
    private func inStore(_ body: (SQLiteStore, ManualClock) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let clock = ManualClock()
        let store = try SQLiteStore(path: folder.file("a.db"), readerCount: 1)
        _ = try await SQLiteMigrator(store, backups: nil, clock: clock).up([.outbox, .jobs], to: nil, dryRun: false)
        try await body(store, clock)
        await store.close()
    }

    @Test(arguments: JobsContract.clauses)
    func `the queue in SQLite keeps the contract`(clause: JobsContract.Clause) async throws {
        try await inStore { store, clock in
            let settings = SQLJobQueue.Settings(waitingLimit: JobsContract.waitingLimit)
            let queue: any JobQueue = SQLJobQueue(store, clock: clock, settings: settings)
            try await ContractReport.shared.check(
                clause, port: "jobs", store: "sqlite", TimedSubject(queue) { clock.advance($0) })
        }
    }

    @Test func `a queue that drops the oldest says so in what it dropped`() async throws {
        try await inStore { store, clock in
            let queue = SQLJobQueue(
                store, clock: clock, settings: .init(waitingLimit: 2, overflow: .dropOldest))
            var ids: [JobID] = []
            for number in 0..<3 {
                ids.append(
                    try await queue.enqueue(JobDraft(tenant: nil, kind: "k", payload: .integer(Int64(number)))))
                clock.advance(.milliseconds(5))
            }
            let scope = SystemScope.allTenants("testing")
            #expect(try await queue.jobs([.dead], after: nil, limit: 9, in: scope).map(\.id) == [ids[0]])
            #expect(try await queue.jobs([.waiting], after: nil, limit: 9, in: scope).map(\.id) == [ids[2], ids[1]])
        }
    }

    @Test func `what is done is forgotten after a while, what is dead is not`() async throws {
        try await inStore { store, clock in
            let queue = SQLJobQueue(store, clock: clock)
            for kind in ["done", "dead"] {
                _ = try await queue.enqueue(JobDraft(tenant: nil, kind: kind, payload: .null, maximumAttempts: 1))
                let job = try #require(
                    try await queue.take([kind], limit: 1, lease: .minutes(1)).first)
                if kind == "done" {
                    try await queue.complete(job, result: .null)
                } else {
                    try await queue.fail(job, reason: "no")
                }
            }
            clock.advance(.days(8))
            #expect(try await queue.prune(doneBefore: clock.now() - .days(7)) == 1)
            let left = try await queue.jobs(
                Set(Job.State.allCases), after: nil, limit: 9, in: SystemScope.allTenants("testing"))
            #expect(left.map(\.state) == [.dead])
            let told = try await store.outbox(after: .start, limit: 9).map(\.message.type)
            #expect(told == ["job.done", "job.dead"])
        }
    }
}
