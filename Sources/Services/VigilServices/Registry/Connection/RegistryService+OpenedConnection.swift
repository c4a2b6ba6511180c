package import VigilModel
import VigilPorts

extension RegistryService {
    /// The connection settings of a device with its secrets opened, for the worker that connects to it.
    ///
    /// Never part of an answer. The secrets stand beside the settings by their names.
    package func openedConnection(of device: DeviceID, tenant: TenantID) async throws
        -> (settings: JSONValue, secrets: [String: String])
    {
        let (settings, sealed) = try await read(in: SystemScope.tenant(tenant, "connect to a device")) { reading in
            let row = try reading.deviceRow(device.description)
            let rows = try reading.transaction.rows(
                "SELECT name, sealed FROM device_secrets WHERE tenant_id = \(tenant) AND device_id = \(device)")
            return (
                row.connection,
                try rows.map { (try $0.get("name", as: String.self), try $0.get("sealed", as: [UInt8].self)) }
            )
        }
        var opened: [String: String] = [:]
        for (name, bytes) in sealed {
            opened[name] = String(decoding: try secrets.open(bytes, for: Self.sealContext(device, name)), as: UTF8.self)
        }
        return (settings, opened)
    }
}
