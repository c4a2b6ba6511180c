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

    /// A larger answer is not kept: the key then only says that the work was done.
    package static let largestBody = 1 << 18
    static let life = Span.hours(24)
    /// A first request that takes longer than this has died with its server.
    static let runningLife = Span.minutes(5)
    static let keysPerTenant = 100_000

    private let stores: Stores
    private let clock: any TimeSource
    private let box: SecretBox

    /// - Parameter box: Seals the answers that are kept.
    package init(stores: Stores, clock: any TimeSource, box: SecretBox) {
        self.stores = stores
        self.clock = clock
        self.box = box
    }

    /// Takes a key, or says what was answered under it.
    ///
    /// - Throws: `conflict`, code `idempotency.running` while the first request runs, `idempotency.body` when it had
    ///   another body, `idempotency.secret` when its answer held a secret, which is shown once; `tooMany` when the tenant has too many keys.
    package func claim(_ key: String, bodyHash: String, in scope: AccessScope) async throws -> Claim {
        let (now, box) = (clock.now(), box)
        return try await stores.relational.write(in: scope) { transaction in
            guard let tenant = scope.tenant else { return .ours }
            try transaction.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = \(tenant) AND request_key = \(key) AND expires <= \(now)"
            )
            let row = try transaction.rows(
                """
                SELECT body_hash, status, content_type, location, etag, body, is_secret FROM idempotency_keys
                WHERE tenant_id = \(tenant) AND request_key = \(key)
                """
            ).first
            if let row { return .answered(try Self.answer(row, key, bodyHash: bodyHash, box)) }
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

    private static func answer(_ row: SQLRow, _ key: String, bodyHash: String, _ box: SecretBox) throws -> Answer {
        guard try row.get("body_hash", as: String.self) == bodyHash else {
            throw ServiceError(
                .conflict, "idempotency.body", "This Idempotency-Key was used for a request with another body.")
        }
        guard let status = try row.optional("status", as: Int.self) else {
            throw ServiceError(
                .conflict, "idempotency.running", "The first request with this Idempotency-Key still runs.",
                retryAfter: .seconds(1))
        }
        guard try !row.get("is_secret", as: Bool.self) else {
            throw ServiceError(
                .conflict, "idempotency.secret", "This was done already. Its answer held a secret, which is shown once."
            )
        }
        return Answer(
            status: status, contentType: try row.optional("content_type"), location: try row.optional("location"),
            entityTag: try row.optional("etag"),
            body: try row.optional("body", as: [UInt8].self).map { try box.open($0, for: context(key)) } ?? [])
    }
}
