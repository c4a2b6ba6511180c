package import VigilModel
import VigilPorts

extension RegistryService {
    /// Sites by name, with their counts; at most those whose name, code or address contains `text`.
    package func sites(_ page: PageRequest, text: String? = nil, kind: String? = nil, in scope: AccessScope)
        async throws -> Portion<Site>
    {
        let after = try page.cursor.map { (try $0.text(at: 0), try $0.text(at: 1)) }
        return try await read(in: scope) { reading in
            let dialect = reading.transaction.dialect
            var conditions: [SQL] = ["s.tenant_id = \(reading.tenant)", Site.visible(in: scope)]
            if let after { conditions.append("(s.name, s.id) > (\(after.0), \(after.1))") }
            if let kind { conditions.append("s.kind = \(kind)") }
            if let text {
                let columns: [SQL] = ["s.name", "s.code", "COALESCE(s.address, '')"]
                conditions.append("(\(columns.map { dialect.containsText($0, text) }.joined(" OR ")))")
            }
            let rows = try reading.transaction.rows(
                """
                SELECT \(Site.columns) FROM sites s WHERE \(conditions.joined(" AND "))
                ORDER BY s.name, s.id LIMIT \(page.limit + 1)
                """
            ).map(Site.init(row:))
            var portion = Portion(of: rows, limit: page.limit) { [.string($0.name), .string($0.id.description)] }
            portion.items = try reading.count(in: portion.items)
            return portion
        }
    }

    /// A site by identifier or code, with its counts.
    package func site(_ reference: String, in scope: AccessScope) async throws -> Site {
        try await read(in: scope) { reading in
            try reading.count(in: [try reading.site(reference)])[0]
        }
    }

    package func createSite(_ draft: SiteDraft, by principal: Principal, in scope: AccessScope) async throws -> Site {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .nothing) { change in
            try change.requireWholeTenant()
            try change.requireRoom(in: "sites", max: limits.sitesMax)
            let name = try TextRules.name(draft.name)
            let site = Site(
                id: SiteID(at: change.time), code: try change.newCode(draft.code, name: name, table: "sites"),
                name: name,
                kind: try TextRules.word(draft.kind ?? "site", field: "kind"),
                address: try draft.address.map { try TextRules.name($0, field: "address", max: 1000) },
                timeZone: try TextRules.timeZone(draft.timeZone ?? "UTC"),
                geometry: try draft.geometry.map { try limits.siteGeometry($0) },
                details: try TextRules.json(
                    draft.details ?? .emptyObject, field: "details", bytesMax: limits.jsonBytesMax),
                isActive: draft.isActive ?? true, version: 1, createdAt: change.time, updatedAt: change.time)
            try site.insert(tenant: change.tenant, in: change.transaction)
            try change.record(.created, "site", site.id.description, before: Site?.none, after: site)
            return site
        }
    }

    /// - Parameter version: What the caller believes to be the current version; `stale` when it is not.
    package func changeSite(
        _ reference: String, _ draft: SiteChange, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> Site {
        let limits = limits
        let forgetting = draft.code == nil ? Forgetting.nothing : .all
        return try await change(by: principal, in: scope, forgetting: forgetting) { change in
            let old = try change.reading.site(reference)
            try change.requireWholeTenant()
            try RegistryChange.require(version, is: old.version)
            var site = old
            if let name = draft.name { site.name = try TextRules.name(name) }
            if let code = draft.code, code != old.code {
                site.code = try change.newCode(code, name: site.name, table: "sites")
            }
            if let kind = draft.kind { site.kind = try TextRules.word(kind, field: "kind") }
            site.address = try draft.address.map { try TextRules.name($0, field: "address", max: 1000) }
                .applied(to: old.address)
            if let zone = draft.timeZone { site.timeZone = try TextRules.timeZone(zone) }
            site.geometry = try draft.geometry.map { try limits.siteGeometry($0) }.applied(to: old.geometry)
            if let details = draft.details {
                site.details = try TextRules.json(details, field: "details", bytesMax: limits.jsonBytesMax)
            }
            site.isActive = draft.isActive ?? old.isActive
            return try change.replace(old, by: site, "site")
        }
    }

    /// Deletes a site that has neither locations nor devices; deleted devices lose their place in it.
    ///
    /// - Throws: `conflict` with `site.in_use`.
    package func deleteSite(
        _ reference: String, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws {
        try await change(by: principal, in: scope, forgetting: .all) { change in
            let site = try change.reading.site(reference)
            try change.requireWholeTenant()
            try RegistryChange.require(version, is: site.version)
            let uses = try change.transaction.rows(
                """
                SELECT (SELECT COUNT(*) FROM locations WHERE tenant_id = \(change.tenant) AND site_id = \(site.id))
                    + (SELECT COUNT(*) FROM devices
                        WHERE tenant_id = \(change.tenant) AND site_id = \(site.id) AND deleted_at IS NULL) AS n
                """)
            guard try uses.first?.get("n", as: Int.self) == 0 else {
                throw ServiceError(.conflict, "site.in_use", "The site still has locations or devices.")
            }
            try change.transaction.execute(
                """
                UPDATE devices SET site_id = NULL
                WHERE tenant_id = \(change.tenant) AND site_id = \(site.id) AND deleted_at IS NOT NULL
                """)
            try change.transaction.execute(
                "DELETE FROM sites WHERE tenant_id = \(change.tenant) AND id = \(site.id)")
            try change.record(.deleted, "site", site.id.description, before: site, after: Site?.none)
        }
    }
}

extension RegistryLimits {
    func siteGeometry(_ value: JSONValue) throws(ServiceError) -> JSONValue {
        try GeoJSON.checked(value, kinds: [.point, .polygon, .multiPolygon], positionsMax: geometryPositionsMax)
    }
}
