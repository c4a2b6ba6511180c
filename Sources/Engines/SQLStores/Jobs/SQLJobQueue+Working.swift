package import VigilModel
package import VigilPorts

extension SQLJobQueue {
    package func take(_ kinds: Set<String>, limit: Int, lease: Span) async throws(StoreError) -> [Job] {
        let now = clock.now()
        let names = kinds.sorted()
        guard limit > 0, try await hasWork(names, now) else { return [] }
        return try await write { transaction in
            try Self.endLeases(now, transaction)
            let chosen = try transaction.rows(
                """
                SELECT id FROM jobs WHERE state = 'waiting' AND kind IN \(names) AND not_before <= \(now)
                ORDER BY priority DESC, created, id LIMIT \(limit) \(transaction.dialect.forUpdateSkippingLocked)
                """
            ).map { try $0.get("id", as: JobID.self) }
            guard !chosen.isEmpty else { return [] }
            try transaction.execute(
                """
                UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_end = \(now + lease), updated = \(now)
                WHERE id IN \(chosen)
                """)
            return try transaction.rows(
                "SELECT \(Self.columns) FROM jobs WHERE id IN \(chosen) ORDER BY priority DESC, created, id"
            ).map(Job.init(row:))
        }
    }

    /// Looks first, so that a worker who finds nothing does not make the disk sync.
    private func hasWork(_ kinds: [String], _ now: Timestamp) async throws(StoreError) -> Bool {
        try await throwing {
            try await store.read(in: Self.scope) { transaction in
                try !transaction.rows(
                    """
                    SELECT 1 AS one FROM jobs WHERE state = 'waiting' AND kind IN \(kinds) AND not_before <= \(now)
                    UNION ALL SELECT 1 AS one FROM jobs WHERE state = 'running' AND lease_end <= \(now) LIMIT 1
                    """
                ).isEmpty
            }
        }
    }

    /// Gives back what workers died with: for another attempt, or as dead.
    private static func endLeases(_ now: Timestamp, _ transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE jobs SET state = CASE WHEN attempts >= maximum_attempts THEN 'dead' ELSE 'waiting' END,
                last_error = 'The worker did not report in time', lease_end = NULL, updated = \(now)
            WHERE state = 'running' AND lease_end <= \(now)
            """)
    }

    package func progress(_ job: Job, _ fraction: Double, lease: Span) async throws(StoreError) -> Bool {
        let now = clock.now()
        let progress = min(1, max(0, fraction))
        return try await write { transaction in
            try transaction.execute(
                """
                UPDATE jobs SET progress = \(progress), lease_end = \(now + lease), updated = \(now)
                WHERE \(Self.isOurs(job, now))
                """) == 1
        }
    }

    package func complete(_ job: Job, result: JSONValue) async throws(StoreError) {
        let now = clock.now()
        try await write { transaction in
            let changed = try transaction.execute(
                """
                UPDATE jobs SET state = 'done', progress = \(1.0), result = \(result), lease_end = NULL, updated = \(now)
                WHERE \(Self.isOurs(job, now))
                """)
            if changed == 1 { try Self.tell("job.done", job, now, transaction) }
        }
    }

    package func fail(_ job: Job, reason: String) async throws(StoreError) {
        let now = clock.now()
        let isLast = job.attempts >= job.draft.maximumAttempts
        let retry = now + backOff(afterAttempt: job.attempts)
        let state = isLast ? "dead" : "waiting"
        try await write { transaction in
            let changed = try transaction.execute(
                """
                UPDATE jobs SET state = \(state), not_before = \(retry), last_error = \(reason), lease_end = NULL,
                    updated = \(now)
                WHERE \(Self.isOurs(job, now))
                """)
            if changed == 1, isLast { try Self.tell("job.dead", job, now, transaction) }
        }
    }

    /// 1, 2, 4, 8, 16, then 30 seconds, and up to a quarter more so that what failed together does not return together.
    func backOff(afterAttempt attempt: Int) -> Span {
        let doubling: Int64 = 1 << min(5, max(0, attempt - 1))
        let milliseconds = min(30, doubling) * 1000
        return .milliseconds(milliseconds + Int64(Double(milliseconds) * 0.25 * min(1, max(0, random()))))
    }

    private static func isOurs(_ job: Job, _ now: Timestamp) -> SQL {
        "id = \(job.id) AND state = 'running' AND attempts = \(job.attempts) AND lease_end > \(now)"
    }

    private static func tell(
        _ type: String, _ job: Job, _ now: Timestamp, _ transaction: any SQLTransaction
    ) throws {
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: job.draft.tenant, type: type, aggregate: "job", aggregateID: job.id.description,
                data: .object(["kind": .string(job.draft.kind), "attempts": .integer(Int64(job.attempts))]), time: now))
    }

    static let columns: SQL = """
        id, tenant_id, kind, unique_key, payload, priority, not_before, maximum_attempts, state, attempts, progress,
        last_error, result, created, updated
        """
}

extension Job {
    init(row: SQLRow) throws {
        let draft = JobDraft(
            tenant: try row.optional("tenant_id"), kind: try row.get("kind"), key: try row.optional("unique_key"),
            payload: try row.get("payload"), priority: try row.get("priority"), notBefore: try row.get("not_before"),
            maximumAttempts: try row.get("maximum_attempts"))
        guard let state = State(rawValue: try row.get("state")) else {
            throw StoreError(.internalFault, "A job is in no state")
        }
        self.init(
            id: try row.get("id"), draft: draft, state: state, attempts: try row.get("attempts"),
            progress: try row.get("progress"), lastError: try row.optional("last_error"),
            result: try row.optional("result"), created: try row.get("created"), updated: try row.get("updated"))
    }
}
