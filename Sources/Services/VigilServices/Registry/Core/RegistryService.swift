package import VigilModel
package import VigilPorts

/// Keeps places and devices: sites with their locations, profiles, devices and everything that belongs to a device.
///
/// What a scope hides does not exist for its caller: it is `notFound`, and in no list or count. Every change is one
/// transaction with its audit entry and its outbox message.
package final class RegistryService: Sendable {
    let relational: any RelationalStore
    let bus: any Bus
    let clock: any TimeSource
    let secrets: SecretBox
    let directory: DeviceDirectory
    let hooks: [any DeviceHook]
    let limits: RegistryLimits

    /// - Parameters:
    ///   - secrets: Seals what connection settings keep secret: `SecretBox(key.derive("connection"))`.
    ///   - hooks: Told of each change of a device in its transaction, in order.
    package init(
        stores: Stores, clock: any TimeSource, secrets: SecretBox, directory: DeviceDirectory,
        hooks: [any DeviceHook] = [], limits: RegistryLimits = RegistryLimits()
    ) {
        relational = stores.relational
        bus = stores.bus
        self.clock = clock
        self.secrets = secrets
        self.directory = directory
        self.hooks = hooks
        self.limits = limits
    }
}

/// How much of everything a tenant may have.
package struct RegistryLimits: Sendable {
    package var sitesMax = 10_000
    package var locationsPerSiteMax = 5000
    /// Levels of locations below a site.
    package var locationDepthMax = 16
    package var profilesMax = 1000
    package var devicesMax = 100_000
    package var externalIDsPerDeviceMax = 32
    package var attributesPerScopeMax = 500
    package var secretsPerDeviceMax = 32
    /// Bytes of the JSON of one attribute.
    package var attributeBytesMax = 16 * 1024
    /// Bytes of the JSON of metadata, details, connection settings or rules.
    package var jsonBytesMax = 64 * 1024
    /// Positions in one geometry.
    package var geometryPositionsMax = 20_000
    /// Features on one map.
    package var mapFeaturesMax = 5000

    package init() {}
}

/// Hears of changes of devices in the transaction that makes them, so that what follows from one happens exactly once.
///
/// The rules of transactions hold: no I/O, no side effects but in `transaction`, and it may run more than once.
package protocol DeviceHook: Sendable {
    /// Somebody set another administrative status.
    func statusChanged(
        _ device: DeviceEntry, from old: AdministrativeStatus, at time: Timestamp, in transaction: any SQLTransaction
    ) throws

    /// The device is heard again, or is not heard any more.
    func connectionChanged(
        _ device: DeviceEntry, from old: ConnectionState, to new: ConnectionState, at time: Timestamp,
        in transaction: any SQLTransaction
    ) throws

    /// The device was made, claimed or given another profile: its default rules are due.
    func profileAssigned(
        _ device: DeviceEntry, rules: [JSONValue], at time: Timestamp, in transaction: any SQLTransaction
    ) throws

    /// The device was deleted.
    func deleted(_ device: DeviceEntry, at time: Timestamp, in transaction: any SQLTransaction) throws
}

extension DeviceHook {
    package func statusChanged(
        _ device: DeviceEntry, from old: AdministrativeStatus, at time: Timestamp, in transaction: any SQLTransaction
    ) throws {}

    package func connectionChanged(
        _ device: DeviceEntry, from old: ConnectionState, to new: ConnectionState, at time: Timestamp,
        in transaction: any SQLTransaction
    ) throws {}

    package func profileAssigned(
        _ device: DeviceEntry, rules: [JSONValue], at time: Timestamp, in transaction: any SQLTransaction
    ) throws {}

    package func deleted(_ device: DeviceEntry, at time: Timestamp, in transaction: any SQLTransaction) throws {}
}
