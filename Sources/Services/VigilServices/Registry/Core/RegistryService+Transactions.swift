import VigilModel
import VigilPorts

extension RegistryService {
    /// Which devices a change makes the directory forget.
    enum Forgetting: Sendable {
        case nothing
        case device(DeviceID)
        case all
    }

    /// Runs a change of the scope's tenant, and then tells the directory, here and in other processes.
    func change<Result: Sendable>(
        by principal: Principal, in scope: AccessScope, forgetting: @escaping @Sendable (Result) -> Forgetting,
        _ body: @escaping @Sendable (RegistryChange) throws -> Result
    ) async throws -> Result {
        let tenant = try scope.requiredTenant()
        let time = clock.now()
        let result = try await relational.write(in: scope) { transaction in
            try body(
                RegistryChange(
                    transaction: transaction, scope: scope, tenant: tenant, principal: principal, time: time))
        }
        switch forgetting(result) {
        case .nothing: break
        case .device(let device): await announce(device, tenant: tenant)
        case .all: await announce(nil, tenant: tenant)
        }
        return result
    }

    func change<Result: Sendable>(
        by principal: Principal, in scope: AccessScope, forgetting: Forgetting,
        _ body: @escaping @Sendable (RegistryChange) throws -> Result
    ) async throws -> Result {
        try await change(by: principal, in: scope, forgetting: { _ in forgetting }, body)
    }

    /// Reads what the scope shows, on one snapshot.
    func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (RegistryReading) throws -> Result
    ) async throws -> Result {
        let tenant = try scope.requiredTenant()
        let time = clock.now()
        return try await relational.read(in: scope) { transaction in
            try body(RegistryReading(transaction: transaction, scope: scope, tenant: tenant, time: time))
        }
    }

    func announce(_ device: DeviceID?, tenant: TenantID) async {
        await directory.forget(device, tenant: tenant)
        // The change is committed. When the bus is away, others believe the old state for the directory's lifetime.
        try? await bus.publish(
            BusMessage(topic: DeviceDirectory.topic(tenant), payload: Array((device?.description ?? "").utf8)))
    }
}

/// A read of a tenant's places and devices under a scope.
struct RegistryReading {
    let transaction: any SQLTransaction
    let scope: AccessScope
    let tenant: TenantID
    let time: Timestamp
}

/// A change of a tenant's places and devices: the transaction with who makes it and when.
struct RegistryChange {
    enum Action: String {
        case created
        case updated
        case deleted
        case restored
        case claimed
        case ignored

        /// As the audit trail names it.
        var verb: String {
            switch self {
            case .created: "create"
            case .updated: "update"
            case .deleted: "delete"
            case .restored: "restore"
            case .claimed: "claim"
            case .ignored: "ignore"
            }
        }
    }

    let transaction: any SQLTransaction
    let scope: AccessScope
    let tenant: TenantID
    let principal: Principal
    let time: Timestamp

    var reading: RegistryReading {
        RegistryReading(transaction: transaction, scope: scope, tenant: tenant, time: time)
    }

    /// Who, as rows keep it: a kind and a name, because names change and people go.
    var actor: String {
        let actor = AuditActor(principal)
        return "\(actor.kind.rawValue):\(actor.name)"
    }

    /// Writes the audit entry and the outbox message of a change.
    ///
    /// - Parameters:
    ///   - resource: `site`, `location`, `profile`, `device`: also the first word of the message's type.
    ///   - before: The view before; `nil` for something new.
    ///   - after: The view after; `nil` for something that is gone.
    func record(
        _ action: Action, _ resource: String, _ id: String, device: DeviceID? = nil,
        before: (some Encodable & Sendable)?, after: (some Encodable & Sendable)?
    ) throws {
        let old = try before.map { try JSONValue(describing: $0) }
        let new = try after.map { try JSONValue(describing: $0) }
        try AuditTrail.record(
            AuditRecord(
                by: principal, tenant: tenant, action.verb, resource, id, device: device, before: old, after: new,
                at: time),
            in: transaction)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: tenant, type: "\(resource).\(action.rawValue)", aggregate: resource, aggregateID: id,
                device: device, data: new ?? .object(["id": .string(id)]), time: time))
    }

    /// Writes what became of something, as its next version, unless nothing of it changed.
    func replace<Record: RegistryRecord>(_ old: Record, by changed: Record, _ resource: String) throws -> Record {
        guard changed != old else { return old }
        var new = changed
        new.version += 1
        new.updatedAt = time
        try new.update(tenant: tenant, in: transaction)
        try record(.updated, resource, new.id.description, before: old, after: new)
        return new
    }

    /// Refuses callers who see a part of the tenant only: what they make would be beyond what they see.
    func requireWholeTenant() throws(ServiceError) {
        guard scope.visibility == .all else {
            throw ServiceError(.forbidden, "scope.restricted", "This needs access to the whole organisation.")
        }
    }
}

/// Something of the registry whose row is what is shown of it.
protocol RegistryRecord: Codable, Sendable, Equatable {
    associatedtype ID: CustomStringConvertible

    var id: ID { get }
    var version: Int { get set }
    var updatedAt: Timestamp { get set }

    /// Writes its row anew.
    func update(tenant: TenantID, in transaction: any SQLTransaction) throws
}

extension Site: RegistryRecord {}
extension Location: RegistryRecord {}
extension Profile: RegistryRecord {}

extension AccessScope {
    /// The tenant of a scope that has one.
    func requiredTenant() throws(ServiceError) -> TenantID {
        guard let tenant else { throw ServiceError(.invalid, "scope.tenant", "Name the tenant.") }
        return tenant
    }

    /// A condition that holds for the devices of this scope.
    func shows(device column: SQL) -> SQL {
        switch visibility {
        case .all: "TRUE"
        case .assigned(let devices, _): "\(column) IN \(devices.sorted())"
        }
    }

    /// A condition that holds for the locations of this scope.
    func shows(location column: SQL) -> SQL {
        switch visibility {
        case .all: "TRUE"
        case .assigned(_, let locations): "\(column) IN \(locations.sorted())"
        }
    }
}
