import VigilModel
import VigilPorts

/// Which devices a place has, and in which units they report: remembered, and forgotten, like the devices themselves.
extension DeviceDirectory {
    /// Devices of a site whose newest values are told.
    private static let siteDevicesMax = 10_000

    /// The living devices of a site, by its identifier or code; `nil` when there is no such site.
    func roster(ofSite reference: String, tenant: TenantID) async throws -> Roster? {
        let subject = RosterShelf.Subject.site(reference)
        if let known = rosters.find(subject, tenant: tenant, at: clock.now()) { return known }
        let edition = rosters.edition(of: tenant)
        return try await read(subject, tenant: tenant, edition: edition) { transaction in
            guard
                let site = try transaction.rows(
                    "SELECT id FROM sites WHERE tenant_id = \(tenant) AND \(SQL.named(reference))"
                ).first?.get("id", as: SiteID.self)
            else { return nil }
            return try transaction.rows(
                """
                SELECT id, code, name FROM devices WHERE tenant_id = \(tenant) AND site_id = \(site)
                    AND deleted_at IS NULL LIMIT \(Self.siteDevicesMax)
                """
            ).map { row in
                let name: String = try row.get("name")
                return (try row.get("id"), try row.optional("code") ?? name)
            }
        }
    }

    /// A living device alone, by any of its names; `nil` when there is none.
    func roster(ofDevice reference: String, tenant: TenantID) async throws -> Roster? {
        // Before the device is found: what changes it meanwhile is not to be kept.
        let edition = rosters.edition(of: tenant)
        guard let entry = try await find(reference, tenant: tenant) else { return nil }
        let subject = RosterShelf.Subject.device(entry.id)
        if let known = rosters.find(subject, tenant: tenant, at: clock.now()) { return known }
        return try await read(subject, tenant: tenant, edition: edition) { _ in [(entry.id, entry.code)] }
    }

    /// Forgets in which units the devices of a tenant report, because one of them says another.
    ///
    /// Other processes believe the old ones for the lifetime of an entry.
    func forgetUnits(of tenant: TenantID) { rosters.forget(tenant) }

    private func read(
        _ subject: RosterShelf.Subject, tenant: TenantID, edition: Int,
        _ devices: @escaping @Sendable (any SQLTransaction) throws -> [(id: DeviceID, code: String)]?
    ) async throws -> Roster? {
        let scope = SystemScope.tenant(tenant, "device directory")
        let roster = try await relational.read(in: scope) { transaction -> Roster? in
            guard let found = try devices(transaction) else { return nil }
            let units = try DeviceUnit.units(of: found.map(\.id), tenant: tenant, in: transaction)
            return Roster(found.map { Roster.Member(device: $0.id, code: $0.code, units: units[$0.id] ?? [:]) })
        }
        guard let roster else { return nil }
        rosters.keep(
            roster, for: subject, tenant: tenant, edition: edition, until: clock.now() + settings.lifetime,
            membersMax: settings.entriesMax)
        return roster
    }
}
