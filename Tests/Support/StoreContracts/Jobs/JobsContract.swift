import VigilModel
package import VigilPorts

/// The contract of `JobQueue`.
package enum JobsContract {
    /// A queue that is empty and holds at most ``waitingLimit`` waiting jobs, refusing more.
    package typealias Subject = TimedSubject<any JobQueue>
    package typealias Clause = StoreClause<Subject>

    package static let waitingLimit = 50
    private static let lease = Span.seconds(Int64(60))
    private static let everything = SystemScope.allTenants("holding a queue to its contract")

    package static var clauses: [Clause] { adding + working + failing + looking }

    private static func draft(
        _ kind: String = "work", key: String? = nil, tenant: TenantID? = nil, priority: Int = 0,
        notBefore: Timestamp? = nil, attempts: Int = 4
    ) -> JobDraft {
        JobDraft(
            tenant: tenant, kind: kind, key: key, payload: .object(["é\"": .integer(1)]), priority: priority,
            notBefore: notBefore, maximumAttempts: attempts)
    }

    private static func take(_ queue: any JobQueue, _ limit: Int = 100) async throws -> [Job] {
        try await queue.take(["work"], limit: limit, lease: lease)
    }

    private static func one(_ queue: any JobQueue) async throws -> Job {
        guard let job = try await take(queue).first else { throw ContractBroken("there was no job") }
        return job
    }

    private static var adding: [Clause] {
        [
            Clause("jobs/once-taken", "A job is taken by one worker, with what it was made of") { subject in
                let id = try await subject.store.enqueue(draft())
                let job = try await one(subject.store)
                try require(job.id, is: id)
                try require(job.draft.payload, is: draft().payload)
                try require(job.attempts, is: 1)
                try require(try await take(subject.store).count, is: 0)
            },
            Clause("jobs/order", "The most urgent comes first, then the oldest") { subject in
                for (index, priority) in [0, 5, 0, 5].enumerated() {
                    _ = try await subject.store.enqueue(draft(key: String(index), priority: priority))
                    try await subject.advance(Span.milliseconds(2))
                }
                try require(try await take(subject.store).map(\.draft.key), is: ["1", "3", "0", "2"])
            },
            Clause("jobs/kinds", "Only jobs of the kinds asked for are taken, at most as many as asked") { subject in
                for kind in ["other", "work", "work", "work"] { _ = try await subject.store.enqueue(draft(kind)) }
                try require(try await take(subject.store, 2).count, is: 2)
                try require(try await take(subject.store, 9).map(\.draft.kind), is: ["work"])
                try require(try await subject.store.take([], limit: 9, lease: lease).count, is: 0)
            },
            Clause("jobs/key", "The same work of a tenant is not queued twice while it waits or runs") { subject in
                let (mine, other) = (TenantID(high: 1, low: 1), TenantID(high: 1, low: 2))
                let first = try await subject.store.enqueue(draft(key: "k", tenant: mine))
                try require(try await subject.store.enqueue(draft(key: "k", tenant: mine)), is: first)
                let foreign = try await subject.store.enqueue(draft(key: "k", tenant: other))
                try require(foreign != first, "another tenant's job was returned")
                let jobs = try await take(subject.store)
                try require(try await subject.store.enqueue(draft(key: "k", tenant: mine)), is: first)
                for job in jobs { try await subject.store.complete(job, result: .null) }
                try require(try await subject.store.enqueue(draft(key: "k", tenant: mine)) != first, "a done job stood")
            },
            Clause("jobs/not-before", "A job whose time has not come is not taken") { subject in
                let id = try await subject.store.enqueue(draft())
                let job = try await one(subject.store)
                _ = try await subject.store.enqueue(draft(notBefore: job.updated + .seconds(Int64(10))))
                try require(try await take(subject.store).count, is: 0)
                try await subject.advance(.seconds(Int64(10)))
                try require(try await one(subject.store).id != id, "the running one was taken")
            },
            Clause("jobs/full", "A full queue refuses with limit") { subject in
                for _ in 0..<waitingLimit { _ = try await subject.store.enqueue(draft()) }
                try await requireError(.limit) { try await subject.store.enqueue(draft()) }
                _ = try await take(subject.store, 1)
                _ = try await subject.store.enqueue(draft())
            },
        ]
    }

    private static var working: [Clause] {
        [
            Clause("jobs/complete", "A job that ended well stays with its result") { subject in
                _ = try await subject.store.enqueue(draft())
                let job = try await one(subject.store)
                try await subject.store.complete(job, result: .string("r"))
                let done = try await subject.store.jobs([.done], after: nil, limit: 10, in: everything)
                try require(done.map(\.result), is: [.string("r")])
                try require(done.map(\.progress), is: [1])
            },
            Clause("jobs/lease", "A worker that dies gives the job back when the lease ends, and ends it no more") {
                subject in
                _ = try await subject.store.enqueue(draft())
                let lost = try await one(subject.store)
                try await subject.advance(Span.seconds(Int64(61)))
                let again = try await one(subject.store)
                try require(again.id, is: lost.id)
                try require(again.attempts, is: 2)
                try require(try await subject.store.progress(lost, 0.5, lease: lease), is: false)
                try await subject.store.complete(lost, result: .null)
                try await subject.store.fail(lost, reason: "late")
                try require(try await subject.store.progress(again, 0.5, lease: lease), is: true)
            },
            Clause("jobs/progress", "Progress is kept from 0 to 1 and prolongs the lease") { subject in
                _ = try await subject.store.enqueue(draft())
                let job = try await one(subject.store)
                for _ in 0..<3 {
                    try await subject.advance(.seconds(Int64(40)))
                    try require(try await subject.store.progress(job, 7, lease: lease), is: true)
                }
                let running = try await subject.store.jobs([.running], after: nil, limit: 10, in: everything)
                try require(running.map(\.progress), is: [1])
            },
        ]
    }

    private static var failing: [Clause] {
        [
            Clause("jobs/back-off", "A failed attempt is repeated after 1, 2, 4, 8, 16, 30 s and up to a quarter more")
            { subject in
                _ = try await subject.store.enqueue(draft(attempts: 8))
                for seconds in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
                    try await subject.store.fail(try await one(subject.store), reason: "no luck")
                    try await subject.advance(Span.milliseconds(seconds * 1000 - 1))
                    try require(try await take(subject.store).count == 0, "came back before \(seconds) s")
                    try await subject.advance(Span.milliseconds(seconds * 250 + 1))
                    guard let job = try await subject.store.jobs([.waiting], after: nil, limit: 1, in: everything).first
                    else { throw ContractBroken("does not wait") }
                    try require(job.lastError, is: "no luck")
                }
            },
            Clause("jobs/dead", "When the attempts are used up a job is dead, stays, and can be requeued") { subject in
                let id = try await subject.store.enqueue(draft(attempts: 2))
                for _ in 0..<2 {
                    try await subject.store.fail(try await one(subject.store), reason: "no")
                    try await subject.advance(.seconds(Int64(60)))
                }
                try require(try await take(subject.store).count, is: 0)
                try require(
                    try await subject.store.jobs([.dead], after: nil, limit: 9, in: everything).map(\.id), is: [id])
                try require(try await subject.store.requeue(id, in: everything), is: true)
                try require(try await subject.store.requeue(id, in: everything), is: false)
                try require(try await one(subject.store).attempts, is: 1)
            },
            Clause("jobs/dead-worker", "A lease that ends with the last attempt makes the job dead") { subject in
                _ = try await subject.store.enqueue(draft(attempts: 1))
                _ = try await one(subject.store)
                try await subject.advance(Span.seconds(Int64(61)))
                try require(try await take(subject.store).count, is: 0)
                try require(try await subject.store.jobs([.dead], after: nil, limit: 9, in: everything).count, is: 1)
            },
        ]
    }

    private static var looking: [Clause] {
        [
            Clause("jobs/list", "Jobs are listed by state, newest first, page by page, within the scope") { subject in
                let mine = TenantID(high: 7, low: 7)
                var ids: [JobID] = []
                for number in 0..<5 {
                    let tenant = number % 2 == 0 ? mine : nil
                    ids.append(try await subject.store.enqueue(draft(tenant: tenant)))
                    try await subject.advance(Span.milliseconds(2))
                }
                let scope = SystemScope.tenant(mine, "holding a queue to its contract")
                let first = try await subject.store.jobs([.waiting], after: nil, limit: 2, in: scope).map(\.id)
                try require(first, is: [ids[4], ids[2]])
                let rest = try await subject.store.jobs([.waiting], after: ids[2], limit: 2, in: scope).map(\.id)
                try require(rest, is: [ids[0]])
                try require(try await subject.store.jobs([], after: nil, limit: 9, in: everything).count, is: 0)
                try require(try await subject.store.requeue(ids[1], in: scope), is: false)
            }
        ]
    }
}
