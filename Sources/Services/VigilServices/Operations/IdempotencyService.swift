import Synchronization
package import VigilModel
package import VigilPorts

/// Remembers what was answered to a request with an `Idempotency-Key`, so that a repeated one does nothing twice.
package final class IdempotencyService: Sendable {
    /// An answer that is kept.
    package struct Answer: Sendable, Hashable {
        package let status: Int
        package let contentType: String?
        package let location: String?
        package let entityTag: String?
        package let body: [UInt8]

        package init(status: Int, contentType: String?, location: String?, entityTag: String?, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.location = location
            self.entityTag = entityTag
            self.body = body
        }
    }

    /// What is known of a key.
    package enum Claim: Sendable, Hashable {
        /// The key is new and now ours: do the work, then call ``finish(_:in:with:)`` or ``abandon(_:in:)``.
        case ours
        /// It was answered before.
        case answered(Answer)
    }

    /// How far the first request under a key had come when the answer to one of its writes was lost.
    private struct Unsettled: Hashable {
        let tenant: TenantID
        let key: String
    }

    /// A larger answer is not kept: the key then only says that the work was done.
    package static let largestBody = 1 << 18
    static let life = Span.hours(24)
    /// A first request that takes longer than this has died with its server.
    static let runningLife = Span.minutes(5)
    static let keysPerTenant = 100_000

    private let stores: Stores
    private let clock: any TimeSource
    private let box: SecretBox
    /// Keys whose request ended without anybody knowing whether it was carried out, with the number of that write.
    private let unsettled = Mutex<[Unsettled: Int]>([:])

    /// - Parameter box: Seals the answers that are kept.
    package init(stores: Stores, clock: any TimeSource, box: SecretBox) {
        self.stores = stores
        self.clock = clock
        self.box = box
    }

    /// Takes a key, or says what was answered under it.
    ///
    /// - Throws: `conflict`, code `idempotency.running` while the first request runs, `idempotency.done` when it was
    ///   carried out and its answer was lost, `idempotency.body` when it had another body, `idempotency.secret`
    ///   when its answer held a secret, which is shown once; `tooMany` when the tenant has too many keys.
    package func claim(_ key: String, bodyHash: String, in scope: AccessScope) async throws -> Claim {
        let (now, box) = (clock.now(), box)
        guard let tenant = scope.tenant else { return .ours }
        let lost = Unsettled(tenant: tenant, key: key)
        let number = unsettled.withLock { $0[lost] }
        let claim: Claim = try await stores.relational.write(in: scope) { transaction in
            try transaction.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = \(tenant) AND request_key = \(key) AND expires <= \(now)"
            )
            let row = try transaction.rows(
                """
                SELECT body_hash, status, content_type, location, etag, body, is_secret, witness, created
                FROM idempotency_keys
                WHERE tenant_id = \(tenant) AND request_key = \(key)
                """
            ).first
            if let row {
                if let answer = try Self.answer(row, key, bodyHash: bodyHash, box, lostWrite: number, now: now) {
                    return .answered(answer)
                }
                // The write whose answer was lost did not happen: the request is carried out now.
                try transaction.execute(
                    "DELETE FROM idempotency_keys WHERE tenant_id = \(tenant) AND request_key = \(key)")
            }
            let count = try transaction.rows(
                "SELECT COUNT(*) AS count FROM idempotency_keys WHERE tenant_id = \(tenant)"
            ).first?
            .get("count", as: Int.self)
            guard (count ?? 0) < Self.keysPerTenant else {
                throw ServiceError(
                    .tooMany, "idempotency.limit", "There are too many idempotency keys.", retryAfter: .minutes(10))
            }
            try transaction.execute(
                """
                INSERT INTO idempotency_keys (tenant_id, request_key, body_hash, is_secret, created, expires)
                VALUES (\(tenant), \(key), \(bodyHash), \(false), \(now), \(now + Self.runningLife))
                """)
            return .ours
        }
        if number != nil { _ = unsettled.withLock { $0.removeValue(forKey: lost) } }
        return claim
    }

    /// What notes in each write of the request that it was committed.
    package func witness(for key: String, in scope: AccessScope) -> CommitWitness {
        let expires = clock.now() + Self.life
        return CommitWitness { number, transaction in
            try transaction.execute(
                """
                UPDATE idempotency_keys SET witness = \(number), expires = \(expires)
                WHERE tenant_id = \(scope.tenant) AND request_key = \(key)
                """)
        }
    }

    /// Remembers that nobody knows what became of the request's last write: the next one with the key finds out.
    package func leaveOpen(_ key: String, in scope: AccessScope, at write: Int) {
        guard let tenant = scope.tenant else { return }
        unsettled.withLock { unsettled in
            guard unsettled.count < Self.keysPerTenant else { return }
            unsettled[Unsettled(tenant: tenant, key: key)] = write
        }
    }

    /// Keeps the answer for a day, sealed; of an answer that holds a new secret only that it was given.
    package func finish(_ key: String, in scope: AccessScope, with answer: Answer, isSecret: Bool) async throws {
        let expires = clock.now() + Self.life
        let body: [UInt8]? =
            isSecret || answer.body.isEmpty || answer.body.count > Self.largestBody
            ? nil : try box.seal(answer.body, for: Self.context(key))
        _ = try await stores.relational.write(in: scope) { transaction in
            try transaction.execute(
                """
                UPDATE idempotency_keys SET status = \(answer.status), content_type = \(answer.contentType),
                location = \(answer.location), etag = \(answer.entityTag), body = \(body),
                is_secret = \(isSecret), expires = \(expires)
                WHERE tenant_id = \(scope.tenant) AND request_key = \(key)
                """)
        }
    }

    /// Gives the key back: the work failed in a way that may be tried again.
    package func abandon(_ key: String, in scope: AccessScope) async throws {
        _ = try await stores.relational.write(in: scope) { transaction in
            try transaction.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = \(scope.tenant) AND request_key = \(key)")
        }
    }

    private static func context(_ key: String) -> String { "idempotency/\(key)" }

    /// What to say under a key that is there; `nil` when what it stands for did not happen.
    private static func answer(
        _ row: SQLRow, _ key: String, bodyHash: String, _ box: SecretBox, lostWrite: Int?, now: Timestamp
    ) throws -> Answer? {
        guard try row.get("body_hash", as: String.self) == bodyHash else {
            throw ServiceError(
                .conflict, "idempotency.body", "This Idempotency-Key was used for a request with another body.")
        }
        if let status = try row.optional("status", as: Int.self) {
            guard try !row.get("is_secret", as: Bool.self) else {
                throw ServiceError(
                    .conflict, "idempotency.secret",
                    "This was done already. Its answer held a secret, which is shown once.")
            }
            return Answer(
                status: status, contentType: try row.optional("content_type"), location: try row.optional("location"),
                entityTag: try row.optional("etag"),
                body: try row.optional("body", as: [UInt8].self).map { try box.open($0, for: context(key)) } ?? [])
        }
        let written = try row.optional("witness", as: Int.self) ?? 0
        let hasDied = try row.get("created", as: Timestamp.self) + runningLife <= now
        if lostWrite.map({ written >= $0 }) ?? (hasDied && written > 0) {
            throw ServiceError(
                .conflict, "idempotency.done",
                """
                The first request with this Idempotency-Key was carried out; its answer was lost. Read what it made.
                """)
        }
        guard lostWrite == nil else { return nil }
        throw ServiceError(
            .conflict, "idempotency.running", "The first request with this Idempotency-Key still runs.",
            retryAfter: .seconds(1))
    }
}
