/// What a caller may see: one tenant, and of that tenant all, some devices, or some parts of a place.
///
/// Every call to a store takes one. Only Identity makes scopes for people and devices, and only `SystemScope` makes
/// them for workers; a test lists who calls these initializers.
package struct AccessScope: Hashable, Sendable {
    /// How much of the tenant is visible.
    package enum Visibility: Hashable, Sendable {
        /// Everything of the tenant.
        case all
        /// These devices with what belongs to them, and these locations; nothing that belongs to neither. An assignment
        /// to a subtree of places is written out here, as of the moment when the scope was made.
        case assigned(devices: Set<DeviceID>, locations: Set<LocationID>)
    }

    /// The one tenant, or `nil` for work that serves all tenants (`SystemScope` only).
    package let tenant: TenantID?
    package let visibility: Visibility
    /// Why the system acts, for the audit trail; `nil` for people and devices.
    package let purpose: String?

    /// - Important: Call this from `VigilServices/Identity` only.
    package init(tenant: TenantID, visibility: Visibility = .all) {
        self.tenant = tenant
        self.visibility = visibility
        purpose = nil
    }

    init(systemTenant: TenantID?, purpose: String) {
        tenant = systemTenant
        visibility = .all
        self.purpose = purpose
    }

    /// Whether something of `device` may be returned, counted or traversed.
    package func shows(_ device: DeviceID?) -> Bool {
        switch visibility {
        case .all: true
        case .assigned(let devices, _): device.map(devices.contains) ?? false
        }
    }

    /// Whether `location` may be returned.
    package func shows(_ location: LocationID?) -> Bool {
        switch visibility {
        case .all: true
        case .assigned(_, let locations): location.map(locations.contains) ?? false
        }
    }
}

/// Makes the scopes of workers, which act for no person.
///
/// The purpose is a static string so that the audit trail and the test that lists all callers can name it.
package enum SystemScope {
    /// Sees all tenants.
    package static func allTenants(_ purpose: StaticString) -> AccessScope {
        AccessScope(systemTenant: nil, purpose: purpose.description)
    }

    /// Sees one tenant whole.
    package static func tenant(_ tenant: TenantID, _ purpose: StaticString) -> AccessScope {
        AccessScope(systemTenant: tenant, purpose: purpose.description)
    }
}
