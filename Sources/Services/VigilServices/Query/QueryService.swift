package import VigilModel
package import VigilPorts

/// Answers questions about readings, for pages and the API.
package final class QueryService: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let directory: DeviceDirectory
    let alerting: AlertingService

    /// - Parameter alerting: Knows which readings have been judged.
    package init(stores: Stores, clock: any TimeSource, directory: DeviceDirectory, alerting: AlertingService) {
        self.alerting = alerting
        self.stores = stores
        self.clock = clock
        self.directory = directory
    }

    package func now() -> Timestamp { clock.now() }

    /// The newest value of each metric of a device.
    package func latest(ofDevice reference: String, in scope: AccessScope) async throws -> NewestValues {
        let tenant = try AlertingService.tenant(of: scope)
        guard let roster = try await directory.roster(ofDevice: reference, tenant: tenant),
            roster.devices.allSatisfy({ scope.shows($0) })
        else { throw ServiceError.notFound("device") }
        return try await latest(of: roster, in: scope)
    }

    /// The newest values of all devices of a site.
    package func latest(ofSite reference: String, in scope: AccessScope) async throws -> NewestValues {
        let tenant = try AlertingService.tenant(of: scope)
        guard let roster = try await directory.roster(ofSite: reference, tenant: tenant) else {
            throw ServiceError.notFound("site")
        }
        guard roster.members.count > Self.quickMax else { return try await latest(of: roster, in: scope) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await latest(of: roster, in: scope)
        }
    }

    /// The newest values of more devices than this are gathered on the shared threads.
    private static let quickMax = 64

    private func latest(of roster: Roster, in scope: AccessScope) async throws -> NewestValues {
        let devices = scope.visibility == .all ? roster.devices : roster.devices.filter { scope.shows($0) }
        guard !devices.isEmpty else { return NewestValues([], of: roster) }
        return NewestValues(try await stores.series.latest([], devices: devices, in: scope), of: roster)
    }

    /// The units in which metrics are reported, as far as anybody said.
    func units(of devices: [DeviceID], tenant: TenantID, in scope: AccessScope) async throws
        -> [DeviceID: [String: String]]
    {
        try await stores.relational.read(in: scope) { try DeviceUnit.units(of: devices, tenant: tenant, in: $0) }
    }

    func device(_ reference: String, tenant: TenantID, in scope: AccessScope) async throws -> DeviceEntry {
        guard let entry = try await directory.find(reference, tenant: tenant), scope.shows(entry.id) else {
            throw ServiceError.notFound("device")
        }
        return entry
    }
}
