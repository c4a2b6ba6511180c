import VigilModel
import VigilPorts

/// What can be found, by the name of its aggregate in the outbox.
enum SearchSource: String, Sendable, CaseIterable {
    case device
    case site
    case location
    case alert

    /// What a source gives for some keys, as the truth is now.
    struct Found: Sendable {
        var documents: [SearchDocument] = []
        var features: [GeometryFeature] = []
    }

    /// The identifiers after another, in order.
    func keys(after last: String?, limit: Int, _ transaction: any SQLTransaction) throws -> [String] {
        let tenant = transaction.scope.tenant
        let table = SQL(unchecked: rawValue + "s")
        let after: SQL = last.flatMap(DeviceID.init).map { "AND id > \($0)" } ?? ""
        return try transaction.rows(
            "SELECT id FROM \(table) WHERE tenant_id = \(tenant) \(after) ORDER BY id LIMIT \(limit)"
        ).map { try $0.get("id", as: String.self) }
    }

    func read(_ keys: [String], _ transaction: any SQLTransaction) throws -> Found {
        // Identifiers of every kind are written alike.
        let ids = keys.compactMap(DeviceID.init)
        guard let tenant = transaction.scope.tenant, !ids.isEmpty else { return Found() }
        return switch self {
        case .device: try Self.devices(ids, tenant, transaction)
        case .site: try Self.sites(ids, tenant, transaction)
        case .location: try Self.locations(ids, tenant, transaction)
        case .alert: try Self.alerts(ids, tenant, transaction)
        }
    }

    private static func devices(
        _ ids: [DeviceID], _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws -> Found {
        var found = Found()
        var external: [String: [String]] = [:]
        for row in try transaction.rows(
            """
            SELECT device_id, scheme, value FROM device_external_ids
            WHERE tenant_id = \(tenant) AND device_id IN \(ids) ORDER BY scheme, value
            """)
        {
            external[try row.get("device_id"), default: []].append(try row.get("value"))
        }
        let rows = try transaction.rows(
            """
            SELECT d.id, d.code, d.name, d.kind, d.status, d.metadata, d.site_id, d.location_id, g.longitude, g.latitude
            FROM devices d
            LEFT JOIN device_positions g ON g.tenant_id = d.tenant_id AND g.device_id = d.id AND g.valid_to IS NULL
            WHERE d.tenant_id = \(tenant) AND d.id IN \(ids) AND d.deleted_at IS NULL
            """)
        for row in rows {
            let (key, device): (String, DeviceID) = (try row.get("id"), try row.get("id"))
            let location = try row.optional("location_id", as: LocationID.self)
            let kind: String = try row.get("kind")
            var tags = ["kind": kind, "status": try row.get("status", as: String.self)]
            tags["site"] = try row.optional("site_id")
            let metadata: JSONValue = try row.get("metadata")
            let texts = [kind] + external[key, default: []] + metadata.texts
            found.documents.append(
                SearchDocument(
                    kind: "device", key: key, device: device, location: location,
                    title: try title(row), body: body(texts), tags: tags))
            if let longitude = try row.optional("longitude", as: Double.self),
                let latitude = try row.optional("latitude", as: Double.self)
            {
                found.features.append(
                    GeometryFeature(
                        kind: "device", key: key, device: device, location: location,
                        geometry: GeoJSON.point(longitude: longitude, latitude: latitude)))
            }
        }
        return found
    }

    private static func sites(
        _ ids: [DeviceID], _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws -> Found {
        var found = Found()
        for row in try transaction.rows(
            """
            SELECT id, code, name, kind, address, details, geometry FROM sites
            WHERE tenant_id = \(tenant) AND id IN \(ids)
            """)
        {
            let (key, kind): (String, String) = (try row.get("id"), try row.get("kind"))
            let details: JSONValue = try row.get("details")
            let texts = [kind, try row.optional("address") ?? ""] + details.texts
            found.documents.append(
                SearchDocument(
                    kind: "site", key: key, title: try title(row), body: body(texts), tags: ["kind": kind]))
            if let geometry = try row.optional("geometry", as: JSONValue.self) {
                found.features.append(GeometryFeature(kind: "site", key: key, geometry: geometry))
            }
        }
        return found
    }

    private static func locations(
        _ ids: [DeviceID], _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws -> Found {
        var found = Found()
        for row in try transaction.rows(
            """
            SELECT id, code, name, kind, site_id, details, geometry FROM locations
            WHERE tenant_id = \(tenant) AND id IN \(ids)
            """)
        {
            let (key, location): (String, LocationID) = (try row.get("id"), try row.get("id"))
            let kind: String = try row.get("kind")
            found.documents.append(
                SearchDocument(
                    kind: "location", key: key, location: location, title: try title(row),
                    body: body([kind] + (try row.get("details", as: JSONValue.self).texts)),
                    tags: ["kind": kind, "site": try row.get("site_id")]))
            if let geometry = try row.optional("geometry", as: JSONValue.self) {
                found.features.append(
                    GeometryFeature(kind: "location", key: key, location: location, geometry: geometry))
            }
        }
        return found
    }

    private static func alerts(
        _ ids: [DeviceID], _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws -> Found {
        var found = Found()
        for row in try transaction.rows(
            """
            SELECT id, title, message, type, subtype, severity, closure, metric, device_id, location_id FROM alerts
            WHERE tenant_id = \(tenant) AND id IN \(ids)
            """)
        {
            let type: String = try row.get("type")
            let texts: [String] = [
                try row.get("message"), type, try row.optional("subtype") ?? "", try row.optional("metric") ?? "",
            ]
            found.documents.append(
                SearchDocument(
                    kind: "alert", key: try row.get("id"), device: try row.optional("device_id"),
                    location: try row.optional("location_id"), title: try row.get("title"), body: body(texts),
                    tags: [
                        "type": type, "closure": try row.get("closure"),
                        "severity": try row.get("severity", as: Severity.self).rawValue,
                    ]))
        }
        return found
    }

    private static func title(_ row: SQLRow) throws -> String {
        let name: String = try row.get("name")
        guard let code = try row.optional("code", as: String.self), code != name else { return name }
        return name + " · " + code
    }

    /// The texts as one, cut to what a document may hold.
    private static func body(_ texts: [String]) -> String {
        var body = ""
        for text in texts where !text.isEmpty {
            guard body.utf8.count + text.utf8.count < SearchDocument.bytesMax / 2 else { break }
            body += body.isEmpty ? text : "\n" + text
        }
        return body
    }
}

extension JSONValue {
    /// All texts inside, in the order of their names.
    fileprivate var texts: [String] {
        switch self {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let members): members.sorted { $0.key < $1.key }.flatMap(\.value.texts)
        default: []
        }
    }
}
