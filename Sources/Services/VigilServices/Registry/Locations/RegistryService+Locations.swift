package import VigilModel
import VigilPorts

extension RegistryService {
    /// The locations of a site, each before those below it.
    package func locations(of site: String, _ page: PageRequest = .first, in scope: AccessScope)
        async throws -> Portion<Location>
    {
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(in: scope) { reading in
            let all = try reading.tree(of: try reading.site(site).id).preorder
            // A location that was deleted since is where it was no more: the list starts over rather than skips.
            let start = after.flatMap { id in all.firstIndex { $0.id.description == id } }.map { $0 + 1 } ?? 0
            return Portion(of: Array(all[start...].prefix(page.limit + 1)), limit: page.limit) {
                [.string($0.id.description)]
            }
        }
    }

    /// A location by identifier or code, with depth and path.
    package func location(_ reference: String, in scope: AccessScope) async throws -> Location {
        try await read(in: scope) { reading in
            let location = try reading.location(reference)
            return try reading.tree(of: location.site).preorder.first { $0.id == location.id } ?? location
        }
    }

    package func createLocation(_ draft: LocationDraft, by principal: Principal, in scope: AccessScope)
        async throws -> Location
    {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .nothing) { change in
            let parent = try draft.parent.map { try change.reading.location($0) }
            let site = try change.site(named: draft.site, above: parent)
            if parent == nil { try change.requireWholeTenant() }
            let place = try LocationPlace(
                moving: nil, height: 0, subtree: [], site: site, parent: parent?.id, index: draft.position,
                tree: change.reading.tree(of: site, whole: true), limits: limits)
            let name = try TextRules.name(draft.name)
            let location = Location(
                id: LocationID(at: change.time), site: site, parent: parent?.id,
                code: try change.newCode(draft.code, name: name, table: "locations"), name: name,
                kind: try TextRules.word(draft.kind ?? "zone", field: "kind"), position: place.position,
                geometry: try draft.geometry.map { try limits.locationGeometry($0) },
                details: try TextRules.json(
                    draft.details ?? .emptyObject, field: "details", bytesMax: limits.jsonBytesMax),
                isActive: draft.isActive ?? true, version: 1, createdAt: change.time, updatedAt: change.time)
            try change.makeRoom(at: place)
            try location.insert(tenant: change.tenant, in: change.transaction)
            try change.record(.created, "location", location.id.description, before: Location?.none, after: location)
            return location
        }
    }

    /// Changes a location, or moves it with everything below it, to another site too: its devices go with it.
    ///
    /// - Throws: `conflict` with `location.cycle` when it were to stand below itself, `location.depth` when too deep.
    package func changeLocation(
        _ reference: String, _ draft: LocationChange, version: Int? = nil, by principal: Principal,
        in scope: AccessScope
    ) async throws -> Location {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: draft.moves ? .all : .nothing) { change in
            let old = try change.reading.location(reference)
            try RegistryChange.require(version, is: old.version)
            var location = old
            if draft.moves { try change.move(&location, as: draft, limits: limits) }
            if let name = draft.name { location.name = try TextRules.name(name) }
            if let code = draft.code, code != old.code {
                location.code = try change.newCode(code, name: location.name, table: "locations")
            }
            if let kind = draft.kind { location.kind = try TextRules.word(kind, field: "kind") }
            location.geometry = try draft.geometry.map { try limits.locationGeometry($0) }.applied(to: old.geometry)
            if let details = draft.details {
                location.details = try TextRules.json(details, field: "details", bytesMax: limits.jsonBytesMax)
            }
            location.isActive = draft.isActive ?? old.isActive
            return try change.replace(old, by: location, "location")
        }
    }

    /// Deletes a location that has neither locations nor devices below it; deleted devices lose their place in it.
    ///
    /// - Throws: `conflict` with `location.in_use`.
    package func deleteLocation(
        _ reference: String, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws {
        try await change(by: principal, in: scope, forgetting: .nothing) { change in
            let location = try change.reading.location(reference)
            try RegistryChange.require(version, is: location.version)
            let uses = try change.transaction.rows(
                """
                SELECT (SELECT COUNT(*) FROM locations
                        WHERE tenant_id = \(change.tenant) AND parent_id = \(location.id))
                    + (SELECT COUNT(*) FROM devices
                        WHERE tenant_id = \(change.tenant) AND location_id = \(location.id) AND deleted_at IS NULL) AS n
                """)
            guard try uses.first?.get("n", as: Int.self) == 0 else {
                throw ServiceError(.conflict, "location.in_use", "The location still has locations or devices.")
            }
            try change.transaction.execute(
                """
                UPDATE devices SET location_id = NULL
                WHERE tenant_id = \(change.tenant) AND location_id = \(location.id) AND deleted_at IS NOT NULL
                """)
            try change.transaction.execute(
                "DELETE FROM locations WHERE tenant_id = \(change.tenant) AND id = \(location.id)")
            try change.record(
                .deleted, "location", location.id.description, before: location, after: Location?.none)
        }
    }
}

extension RegistryChange {
    /// The site that a location or device is to belong to, said by name or by the location above it.
    func site(named reference: String?, above location: Location?) throws -> SiteID {
        guard let reference else {
            guard let location else {
                throw ServiceError.invalid("site", "must be given", code: "request.field")
            }
            return location.site
        }
        let site = try reading.site(reference).id
        guard location == nil || location?.site == site else {
            throw ServiceError.invalid("site", "is not the one that the location belongs to", code: "location.site")
        }
        return site
    }

    /// Shifts the siblings that stand where a location is about to.
    func makeRoom(at place: LocationPlace, for moving: LocationID? = nil) throws {
        guard place.shifts else { return }
        let sameParent: SQL = place.parent.map { "parent_id = \($0)" } ?? "parent_id IS NULL"
        let others: SQL = moving.map { "id <> \($0)" } ?? "TRUE"
        try transaction.execute(
            """
            UPDATE locations SET position = position + 1
            WHERE tenant_id = \(tenant) AND site_id = \(place.site) AND \(sameParent) AND \(others)
                AND position >= \(place.position)
            """)
    }

    fileprivate func move(_ location: inout Location, as draft: LocationChange, limits: RegistryLimits) throws {
        let parent: Location?
        switch draft.parent {
        case .keep where draft.site == nil: parent = try location.parent.map { try reading.location($0.description) }
        // Another site without a word about the parent: to the top of that site.
        case .keep, .clear: parent = nil
        case .set(let reference): parent = try reading.location(reference)
        }
        if parent == nil, location.parent != nil || draft.site != nil { try requireWholeTenant() }
        let site = try draft.site == nil && parent == nil ? location.site : site(named: draft.site, above: parent)
        let source = try reading.tree(of: location.site, whole: true)
        let target = site == location.site ? source : try reading.tree(of: site, whole: true)
        let subtree = source.subtree(of: location.id)
        let place = try LocationPlace(
            moving: location, height: source.height(of: location.id), subtree: subtree, site: site, parent: parent?.id,
            index: draft.position, tree: target, limits: limits)
        if place.parent == location.parent, place.site == location.site, draft.position == nil { return }
        try makeRoom(at: place, for: location.id)
        if site != location.site {
            try transaction.execute(
                """
                UPDATE locations SET site_id = \(site), updated_at = \(time)
                WHERE tenant_id = \(tenant) AND id IN \(subtree.sorted())
                """)
            try transaction.execute(
                """
                UPDATE devices SET site_id = \(site), version = version + 1, updated_at = \(time)
                WHERE tenant_id = \(tenant) AND location_id IN \(subtree.sorted())
                """)
        }
        location.site = site
        location.parent = place.parent
        location.position = place.position
    }
}

extension RegistryLimits {
    func locationGeometry(_ value: JSONValue) throws(ServiceError) -> JSONValue {
        try GeoJSON.checked(value, kinds: Set(GeoJSON.Kind.allCases), positionsMax: geometryPositionsMax)
    }
}
