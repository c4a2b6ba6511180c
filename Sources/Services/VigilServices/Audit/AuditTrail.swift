package import VigilModel
package import VigilPorts

/// Writes the audit trail: one entry per change, in the transaction of the change.
///
/// ```swift
/// try AuditTrail.record(
///     AuditRecord(by: principal, tenant: tenant, "update", "device", id.description, device: id,
///         before: try JSONValue(describing: old), after: try JSONValue(describing: new), at: now),
///     in: transaction)
/// ```
package enum AuditTrail {
    /// Adds an entry.
    ///
    /// Of `before` and `after`, when both are objects, only the members that differ are kept; secrets are removed from
    /// both (``SecretNames``). A text longer than 2,000 characters is cut.
    /// - Returns: The entry's identifier.
    @discardableResult
    package static func record(_ record: AuditRecord, in transaction: any SQLTransaction) throws -> EntryID {
        let id = EntryID(at: record.time)
        var (before, after) = (record.before, record.after)
        if let old = before?.members, let new = after?.members {
            before = .object(old.filter { new[$0.key] != $0.value })
            after = .object(new.filter { old[$0.key] != $0.value })
        }
        try transaction.execute(
            """
            INSERT INTO audit_entries (id, tenant_id, time, actor_kind, actor_id, actor_name, address, action, resource,
                resource_id, device_id, value_before, value_after)
            VALUES (\(id), \(record.tenant), \(record.time), \(record.actor.kind.rawValue), \(record.actor.id),
                \(record.actor.name), \(record.actor.address), \(record.action), \(record.resource),
                \(record.resourceID), \(record.device), \(before.map(SecretNames.removed)),
                \(after.map(SecretNames.removed)))
            """)
        return id
    }
}

/// Which members of an object are secrets, by their names, and never stand in an audit entry or a log.
package enum SecretNames {
    /// A member whose name contains one of these words is a secret.
    private static let words = [
        "password", "passphrase", "secret", "token", "credential", "apikey", "api_key", "privatekey", "private_key",
    ]
    /// And one with exactly one of these names.
    private static let names: Set = [
        "pin", "pinhash", "pin_hash", "key", "authorization", "cookie", "connection", "connectionsettings",
        "connection_settings", "connectionconfig", "connection_config",
    ]

    package static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return names.contains(name) || words.contains { name.contains($0) }
    }

    /// The value with every secret replaced by the text `(hidden)`, so that a change still shows, and long texts cut.
    package static func removed(from value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, member in
                        (name, isSecret(name) && member != .null ? .string("(hidden)") : removed(from: member))
                    }))
        case .array(let elements): .array(elements.map(removed))
        case .string(let text) where text.count > 2000: .string(String(text.prefix(2000)) + "…")
        case .null, .bool, .integer, .number, .string: value
        }
    }
}
