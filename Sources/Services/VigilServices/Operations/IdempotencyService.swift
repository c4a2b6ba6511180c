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

    package init(stores: Stores, clock: any TimeSource) {
        self.stores = stores
        self.clock = clock
    }

    /// Takes a key, or says what was answered under it.
    ///
    /// - Throws: `conflict`, code `idempotency.running` while the first request runs, `idempotency.body` when it had
    ///   another body; `tooMany` when the tenant has too many keys.
    package func claim(_ key: String, bodyHash: String, in scope: AccessScope) async throws -> Claim {
        let now = clock.now()
        return try await stores.relational.write(in: scope) { transaction in
            guard let tenant = scope.tenant else { return .ours }
            try transaction.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = \(tenant) AND request_key = \(key) AND expires <= \(now)"
            )
            let row = try transaction.rows(
                """
                SELECT body_hash, status, content_type, location, etag, body FROM idempotency_keys
                WHERE tenant_id = \(tenant) AND request_key = \(key)
                """
            ).first
            if let row { return .answered(try Self.answer(row, bodyHash: bodyHash)) }
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
                INSERT INTO idempotency_keys (tenant_id, request_key, body_hash, created, expires)
                VALUES (\(tenant), \(key), \(bodyHash), \(now), \(now + Self.runningLife))
                """)
            return .ours
        }
    }

    /// Keeps the answer for a day.
    package func finish(_ key: String, in scope: AccessScope, with answer: Answer) async throws {
        let expires = clock.now() + Self.life
        let body = answer.body.count <= Self.largestBody ? answer.body : []
        _ = try await stores.relational.write(in: scope) { transaction in
            try transaction.execute(
                """
                UPDATE idempotency_keys SET status = \(answer.status), content_type = \(answer.contentType),
                location = \(answer.location), etag = \(answer.entityTag), body = \(body), expires = \(expires)
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

    private static func answer(_ row: SQLRow, bodyHash: String) throws -> Answer {
        guard try row.get("body_hash", as: String.self) == bodyHash else {
            throw ServiceError(
                .conflict, "idempotency.body", "This Idempotency-Key was used for a request with another body.")
        }
        guard let status = try row.optional("status", as: Int.self) else {
            throw ServiceError(
                .conflict, "idempotency.running", "The first request with this Idempotency-Key still runs.",
                retryAfter: .seconds(1))
        }
        return Answer(
            status: status, contentType: try row.optional("content_type"), location: try row.optional("location"),
            entityTag: try row.optional("etag"), body: try row.optional("body") ?? [])
    }
}
