package import VigilModel
package import VigilPorts

/// Background work, for people.
package struct JobService: Sendable {
    /// A job as the interface shows it.
    package struct View: Codable, Sendable {
        package var id: JobID
        package var kind: String
        /// waiting, running, done or dead.
        package var state: String
        package var attempts: Int
        package var maximumAttempts: Int
        /// 0 to 1.
        package var progress: Double
        package var lastError: String?
        package var createdAt: Timestamp
        package var updatedAt: Timestamp

        init(_ job: Job) {
            id = job.id
            kind = job.draft.kind
            state = job.state.rawValue
            attempts = job.attempts
            maximumAttempts = job.draft.maximumAttempts
            progress = job.progress
            lastError = job.lastError
            createdAt = job.created
            updatedAt = job.updated
        }
    }

    private let stores: Stores

    package init(stores: Stores) {
        self.stores = stores
    }

    /// Jobs, newest first.
    package func jobs(_ states: Set<Job.State>, after: JobID?, limit: Int, in scope: AccessScope) async throws
        -> [View]
    {
        try await stores.jobs.jobs(
            states.isEmpty ? Set(Job.State.allCases) : states, after: after, limit: limit, in: scope
        ).map(View.init)
    }

    /// A dead job waits again.
    ///
    /// - Throws: `notFound` when there is no such dead job.
    package func requeue(_ id: JobID, in scope: AccessScope) async throws {
        guard try await stores.jobs.requeue(id, in: scope) else { throw ServiceError.notFound("dead job") }
    }
}
