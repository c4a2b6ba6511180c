package import VigilModel
package import VigilPorts

/// The job queue as a table of the relational store: it survives restarts and serves several processes.
///
/// A worker holds a job by the number of its attempt, so whoever lost the lease can neither end nor prolong it.
package struct SQLJobQueue: JobQueue {
    /// What happens to a job for which there is no room.
    package enum Overflow: Sendable, Hashable {
        /// The new job is refused with `limit`.
        case refuse
        /// The least urgent and among those the oldest waiting job becomes dead, with the reason.
        case dropOldest
    }

    package struct Settings: Sendable, Hashable {
        /// How many jobs may wait.
        package var waitingLimit: Int
        package var overflow: Overflow

        package init(waitingLimit: Int = 100_000, overflow: Overflow = .refuse) {
            self.waitingLimit = waitingLimit
            self.overflow = overflow
        }
    }

    let store: any RelationalStore
    let clock: any TimeSource
    let settings: Settings
    /// A fraction from 0 to 1 for the jitter of the back-off.
    let random: @Sendable () -> Double

    static let scope = SystemScope.allTenants("the job queue")

    package init(
        _ store: any RelationalStore, clock: any TimeSource, settings: Settings = Settings(),
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.store = store
        self.clock = clock
        self.settings = settings
        self.random = random
    }

    // MARK: Adding

    package func enqueue(_ draft: JobDraft) async throws(StoreError) -> JobID {
        guard draft.maximumAttempts > 0, !draft.kind.isEmpty else {
            throw StoreError(.invalid, "A job has a kind and at least one attempt")
        }
        let now = clock.now()
        let id = JobID(at: now)
        return try await write { transaction in
            if let key = draft.key, let there = try Self.find(draft.tenant, draft.kind, key, transaction) {
                return there
            }
            try makeRoom(now, transaction)
            try transaction.execute(
                """
                INSERT INTO jobs (id, tenant_id, kind, unique_key, payload, priority, not_before, maximum_attempts,
                    state, attempts, progress, created, updated)
                VALUES (\(id), \(draft.tenant), \(draft.kind), \(draft.key), \(draft.payload), \(draft.priority),
                    \(draft.notBefore ?? now), \(draft.maximumAttempts), 'waiting', 0, \(0.0), \(now), \(now))
                """)
            return id
        }
    }

    private static func find(
        _ tenant: TenantID?, _ kind: String, _ key: String, _ transaction: any SQLTransaction
    ) throws -> JobID? {
        let owner: SQL = tenant.map { "tenant_id = \($0)" } ?? "tenant_id IS NULL"
        return try transaction.rows(
            """
            SELECT id FROM jobs WHERE kind = \(kind) AND unique_key = \(key) AND state IN ('waiting', 'running')
                AND \(owner)
            """
        ).first?.get("id")
    }

    private func makeRoom(_ now: Timestamp, _ transaction: any SQLTransaction) throws {
        let count: Int =
            try transaction.rows(
                """
                SELECT count(*) AS waiting FROM
                    (SELECT 1 AS one FROM jobs WHERE state = 'waiting' LIMIT \(settings.waitingLimit)) AS waiting
                """
            ).first?.get("waiting") ?? 0
        guard count >= settings.waitingLimit else { return }
        guard settings.overflow == .dropOldest else {
            throw StoreError(.limit, "The job queue is full", details: ["limit": String(settings.waitingLimit)])
        }
        try transaction.execute(
            """
            UPDATE jobs SET state = 'dead', last_error = 'The queue was full', updated = \(now)
            WHERE id = (SELECT id FROM jobs WHERE state = 'waiting' ORDER BY priority, id LIMIT 1)
            """)
    }

    // MARK: Looking

    package func jobs(
        _ states: Set<Job.State>, after: JobID?, limit: Int, in scope: AccessScope
    ) async throws(StoreError) -> [Job] {
        let names = states.map(\.rawValue).sorted()
        let owner: SQL = scope.tenant.map { "tenant_id = \($0)" } ?? "1 = 1"
        let rest: SQL = after.map { "id < \($0)" } ?? "1 = 1"
        return try await throwing {
            try await store.read(in: scope) { transaction in
                try transaction.rows(
                    """
                    SELECT \(Self.columns) FROM jobs WHERE state IN \(names) AND \(owner) AND \(rest)
                    ORDER BY id DESC LIMIT \(limit)
                    """
                ).map(Job.init(row:))
            }
        }
    }

    package func requeue(_ job: JobID, in scope: AccessScope) async throws(StoreError) -> Bool {
        let now = clock.now()
        let owner: SQL = scope.tenant.map { "tenant_id = \($0)" } ?? "1 = 1"
        return try await write { transaction in
            try transaction.execute(
                """
                UPDATE jobs SET state = 'waiting', attempts = 0, progress = \(0.0), not_before = \(now),
                    lease_end = NULL, updated = \(now)
                WHERE id = \(job) AND state = 'dead' AND \(owner)
                """) == 1
        }
    }

    /// Forgets jobs that were done before `time`, and returns how many.
    ///
    /// Dead ones stay until somebody looked at them.
    package func prune(doneBefore time: Timestamp) async throws(StoreError) -> Int {
        try await write { transaction in
            try transaction.execute("DELETE FROM jobs WHERE state = 'done' AND updated < \(time)")
        }
    }

    // MARK: Calls

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws(StoreError) -> Result {
        try await throwing { try await store.write(in: Self.scope, body) }
    }

    /// The relational port throws what bodies throw; ours throw only its own errors.
    func throwing<Result>(_ body: () async throws -> Result) async throws(StoreError) -> Result {
        do {
            return try await body()
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.unavailable, "The call was ended")
        }
    }
}

extension Migration {
    /// Migration 2: the table of jobs.
    package static let jobs = Migration(embedded: "0002_jobs", folder: "Jobs/Migrations", text: EmbeddedFiles.text)
}
