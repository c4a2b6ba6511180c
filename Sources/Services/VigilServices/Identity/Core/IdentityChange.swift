import VigilModel
import VigilPorts

/// A change of a tenant's people: the transaction with who makes it and when.
struct IdentityChange {
    let transaction: any SQLTransaction
    let tenant: TenantID
    let principal: Principal
    let time: Timestamp

    /// Who, as rows keep it.
    var actor: String {
        let actor = AuditActor(principal)
        return "\(actor.kind.rawValue):\(actor.name)"
    }

    /// Writes the audit entry and the outbox message of a change; the message holds no more than `announced`.
    func record(
        _ verb: String, _ resource: String, _ id: String, event: String, before: JSONValue? = nil,
        after: JSONValue? = nil, announced: JSONValue? = nil, device: DeviceID? = nil, tenant other: TenantID? = nil
    ) throws {
        try AuditTrail.record(
            AuditRecord(
                by: principal, tenant: other ?? tenant, verb, resource, id, device: device, before: before,
                after: after, at: time),
            in: transaction)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: other ?? tenant, type: event, aggregate: resource, aggregateID: id, device: device,
                data: announced ?? .object(["id": .string(id)]), time: time))
    }

    /// Refuses to hand out what the caller does not hold.
    func requireGrant(of permissions: [Permission], seesAll: Bool) throws {
        guard principal.permissions.mayGrant(permissions) else {
            throw ServiceError(
                .forbidden, "grant.beyond", "Nobody can grant more than they hold.")
        }
        if seesAll, principal.scope?.visibility != .all {
            throw ServiceError(.forbidden, "grant.visibility", "Nobody can show more than they see.")
        }
    }
}

/// What a change makes the cache of principals forget.
enum Forgotten: Sendable, Hashable {
    case user(UserID)
    case tenant(TenantID)
    case session(SessionID)
    case token(TokenID)

    /// The form on the bus: a kind and an identifier.
    var text: String {
        switch self {
        case .user(let id): "user \(id)"
        case .tenant(let id): "tenant \(id)"
        case .session(let id): "session \(id)"
        case .token(let id): "token \(id)"
        }
    }

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2 else { return nil }
        let parsed: Forgotten? =
            switch words[0] {
            case "user": UserID(words[1]).map(Forgotten.user)
            case "tenant": TenantID(words[1]).map(Forgotten.tenant)
            case "session": SessionID(words[1]).map(Forgotten.session)
            case "token": TokenID(words[1]).map(Forgotten.token)
            default: nil
            }
        guard let parsed else { return nil }
        self = parsed
    }

    func concerns(_ principal: Principal) -> Bool {
        switch (self, principal.subject) {
        case (.user(let id), _): principal.user == id
        case (.tenant(let id), _): principal.tenant == id
        case (.session(let id), .user(_, let session)): session == id
        case (.token(let id), .token(let token, _)), (.token(let id), .device(_, let token)): token == id
        case (.session, _), (.token, _): false
        }
    }
}

extension IdentityService {
    /// The topic on which processes tell each other what to forget.
    static let forgottenTopic = "identity.forgotten"

    /// Runs a change in the caller's tenant, then makes the principals that it concerns forgotten, here and in other
    /// processes.
    func change<Result: Sendable>(
        by principal: Principal, forgetting: @escaping @Sendable (Result) -> [Forgotten] = { _ in [] },
        _ body: @escaping @Sendable (IdentityChange) throws -> Result
    ) async throws -> Result {
        guard let tenant = try principal.requiredScope().tenant else {
            throw ServiceError(.invalid, "scope.tenant", "Name the tenant.")
        }
        let time = clock.now()
        let result = try await stores.relational.write(in: Self.everywhere) { transaction in
            try body(IdentityChange(transaction: transaction, tenant: tenant, principal: principal, time: time))
        }
        await forget(forgetting(result))
        return result
    }

    func forget(_ forgotten: [Forgotten]) async {
        guard !forgotten.isEmpty else { return }
        await cache.forget { principal in forgotten.contains { $0.concerns(principal) } }
        for item in forgotten {
            // The change is committed. When the bus is away, other processes believe the old state for some seconds.
            try? await stores.bus.publish(BusMessage(topic: Self.forgottenTopic, payload: Array(item.text.utf8)))
        }
    }

    /// Reads in one snapshot, in the caller's tenant.
    func read<Result: Sendable>(
        by principal: Principal, _ body: @escaping @Sendable (TenantID, any SQLTransaction) throws -> Result
    ) async throws -> Result {
        guard let tenant = try principal.requiredScope().tenant else {
            throw ServiceError(.invalid, "scope.tenant", "Name the tenant.")
        }
        return try await stores.relational.read(in: Self.everywhere) { try body(tenant, $0) }
    }
}
