package import VigilModel

/// Who did something, as the audit trail keeps it.
package struct AuditActor: Sendable, Hashable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case user
        case token
        case device
        case local
        case system
        case anonymous
    }

    package let kind: Kind
    package let id: String?
    package let name: String
    package let address: String?

    package init(_ principal: Principal) {
        switch principal.subject {
        case .user(let user, _): (kind, id) = (.user, user.description)
        case .token(_, let user): (kind, id) = (.token, user.description)
        case .device(let device, _): (kind, id) = (.device, device.description)
        case .local: (kind, id) = (.local, nil)
        case .anonymous: (kind, id) = (.anonymous, nil)
        }
        name = principal.name
        address = principal.remoteAddress
    }

    /// A worker, by its purpose.
    package static func system(_ purpose: StaticString) -> AuditActor {
        AuditActor(kind: .system, id: nil, name: purpose.description, address: nil)
    }

    init(kind: Kind, id: String?, name: String, address: String?) {
        self.kind = kind
        self.id = id
        self.name = name
        self.address = address
    }
}

/// One thing that was done, to be recorded in the transaction that does it.
package struct AuditRecord: Sendable {
    package var actor: AuditActor
    package var tenant: TenantID?
    /// `create`, `update`, `delete`, `acknowledge` … in lower case with underscores.
    package var action: String
    /// The kind of thing: `device`, `user`.
    package var resource: String
    package var resourceID: String
    /// The device it concerns, for callers who see some devices only.
    package var device: DeviceID?
    package var before: JSONValue?
    package var after: JSONValue?
    package var time: Timestamp

    package init(
        by actor: AuditActor, tenant: TenantID?, _ action: String, _ resource: String, _ resourceID: String,
        device: DeviceID? = nil, before: JSONValue? = nil, after: JSONValue? = nil, at time: Timestamp
    ) {
        self.actor = actor
        self.tenant = tenant
        self.action = action
        self.resource = resource
        self.resourceID = resourceID
        self.device = device
        self.before = before
        self.after = after
        self.time = time
    }

    package init(
        by principal: Principal, tenant: TenantID?, _ action: String, _ resource: String, _ resourceID: String,
        device: DeviceID? = nil, before: JSONValue? = nil, after: JSONValue? = nil, at time: Timestamp
    ) {
        self.init(
            by: AuditActor(principal), tenant: tenant, action, resource, resourceID, device: device, before: before,
            after: after, at: time)
    }
}
