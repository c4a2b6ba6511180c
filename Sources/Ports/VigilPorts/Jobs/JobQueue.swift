package import VigilModel

/// Background work that survives a restart.
///
/// A job is done at least once. A worker takes it for a time (the lease); a worker that dies gives it back when the lease
/// ends. A failed attempt is repeated after a back-off with jitter until the attempts are used up; then the job is dead,
/// and stays to be looked at and requeued.
package protocol JobQueue: Sendable {
    /// Adds a job.
    ///
    /// With a `key`, a job of the same kind and key that is waiting or running is returned instead: the same work is not
    /// queued twice.
    /// - Throws: `limit` when the queue is full and the policy is to refuse.
    func enqueue(_ draft: JobDraft) async throws(StoreError) -> JobID

    /// Takes up to `limit` jobs of these kinds whose time has come, the most urgent first, then the oldest.
    func take(_ kinds: Set<String>, limit: Int, lease: Span) async throws(StoreError) -> [Job]

    /// Says how far a running job is, from 0 to 1, and prolongs the lease. Returns false when the job is no longer ours.
    func progress(_ job: Job, _ fraction: Double, lease: Span) async throws(StoreError) -> Bool

    /// Ends a job well. A job that is no longer ours is left alone.
    func complete(_ job: Job, result: JSONValue) async throws(StoreError)

    /// Ends an attempt badly. The job waits for its next attempt, or is dead.
    func fail(_ job: Job, reason: String) async throws(StoreError)

    /// A dead job waits again, with its attempts counted from zero. Returns false when it is not dead.
    func requeue(_ job: JobID, in scope: AccessScope) async throws(StoreError) -> Bool

    /// Jobs by state, newest first.
    func jobs(_ states: Set<Job.State>, after: JobID?, limit: Int, in scope: AccessScope) async throws(StoreError)
        -> [Job]
}

/// A job to be done.
package struct JobDraft: Sendable, Hashable {
    package var tenant: TenantID?
    /// Which worker does it: `import.csv`, `notify`.
    package var kind: String
    package var key: String?
    package var payload: JSONValue
    /// Greater is sooner.
    package var priority: Int
    package var notBefore: Timestamp?
    package var maximumAttempts: Int

    package init(
        tenant: TenantID?, kind: String, key: String? = nil, payload: JSONValue, priority: Int = 0,
        notBefore: Timestamp? = nil, maximumAttempts: Int = 4
    ) {
        self.tenant = tenant
        self.kind = kind
        self.key = key
        self.payload = payload
        self.priority = priority
        self.notBefore = notBefore
        self.maximumAttempts = maximumAttempts
    }
}

/// A job and how far it is.
package struct Job: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case waiting
        case running
        case done
        case dead
    }

    package var id: JobID
    package var draft: JobDraft
    package var state: State
    /// How often it was taken.
    package var attempts: Int
    package var progress: Double
    package var lastError: String?
    package var result: JSONValue?
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        id: JobID, draft: JobDraft, state: State, attempts: Int, progress: Double, lastError: String?,
        result: JSONValue?, created: Timestamp, updated: Timestamp
    ) {
        self.id = id
        self.draft = draft
        self.state = state
        self.attempts = attempts
        self.progress = progress
        self.lastError = lastError
        self.result = result
        self.created = created
        self.updated = updated
    }
}
