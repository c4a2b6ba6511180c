package import VigilModel
package import VigilPorts

/// Raises an alert of the type malfunction when a device goes offline, and closes it when the device is heard again.
package struct MalfunctionAlerts: DeviceHook {
    static let key = "system:device.offline"

    package init() {}

    package func connectionChanged(
        _ device: DeviceEntry, from old: ConnectionState, to new: ConnectionState, at time: Timestamp,
        in transaction: any SQLTransaction
    ) throws {
        let condition = StandingCondition(
            key: Self.key, subject: device.id.description, tenant: device.tenant, now: time)
        switch new {
        case .offline:
            // Work on a device makes it silent, and one that was never heard live cannot fall silent: its readings are a
            // history that was sent later.
            guard device.status != .maintenance, old != .unknown else { return }
            try condition.begin(
                since: time, at: time,
                StandingCondition.Words(
                    device: device, type: .malfunction, subtype: "offline", severity: .medium,
                    title: "\(device.name) is offline",
                    message: "Nothing was heard of \(device.name) for more than six of its expected intervals."),
                in: transaction)
        case .online, .warning: try condition.end(at: time, in: transaction)
        case .unknown: break
        }
    }

    package func statusChanged(
        _ device: DeviceEntry, from old: AdministrativeStatus, at time: Timestamp, in transaction: any SQLTransaction
    ) throws {
        guard device.status == .inactive || device.status == .maintenance else { return }
        try StandingCondition(key: Self.key, subject: device.id.description, tenant: device.tenant, now: time)
            .end(at: time, in: transaction)
    }

    package func profileAssigned(
        _ device: DeviceEntry, rules: [JSONValue], at time: Timestamp, in transaction: any SQLTransaction
    ) throws {}
}
