import HTTPTypes
import VigilModel
package import VigilServices

/// Devices, and what reports without being known.
package enum DeviceRoutes {
    package static func all(_ registry: RegistryService) -> [Endpoint] {
        [list(registry), counts(registry)] + single(registry) + discovered(registry)
            + DeviceDetailRoutes.all(registry)
    }

    /// How many devices there are, by connection state.
    package struct CountsView: Codable, Sendable {
        package var total: Int
        package var online: Int
        package var warning: Int
        package var offline: Int
        package var unknown: Int
    }

    private static func list(_ registry: RegistryService) -> Endpoint {
        .get(
            "/api/devices", "Devices.", tag: "devices", access: .permission("device", "read"),
            parameters: [
                .init("search", "A part of the name, the code or an external identifier."),
                .init("site", "Identifier or code."), .init("location", "This location and all below it."),
                .init("kind", "Only this kind."), .init("profile", "Identifier or code."),
                .init("status", "active, inactive, error or maintenance."),
                .init("connection", "online, warning, offline or unknown."),
                .init("configuration", "A configuration hash, or its first 16 digits."),
                .init("deleted", "true for deleted devices instead of living ones."),
                .init("order", "newest (the default) or name."),
            ] + PlaceRoutes.paging, answers: Page<DeviceSummary>.self
        ) { request in
            let devices = try await registry.devices(
                try filter(of: request), PlaceRoutes.page(of: request), in: request.principal.requiredScope())
            return Page(items: devices.items, next: devices.next?.text)
        }
    }

    private static func filter(of request: Request) throws(ServiceError) -> DeviceFilter {
        func nonEmpty(_ name: String) -> String? { request.queryValue(name).flatMap { $0.isEmpty ? nil : $0 } }
        func value<Value: RawRepresentable<String> & CaseIterable>(_ name: String, _: Value.Type)
            throws(ServiceError) -> Value?
        {
            guard let text = nonEmpty(name) else { return nil }
            guard let value = Value(rawValue: text) else {
                let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalid(name, "must be one of \(allowed)", code: "request.query")
            }
            return value
        }
        var filter = DeviceFilter()
        filter.text = nonEmpty("search")
        filter.site = nonEmpty("site")
        filter.location = nonEmpty("location")
        filter.kind = nonEmpty("kind")
        filter.profile = nonEmpty("profile")
        filter.status = try value("status", AdministrativeStatus.self)
        filter.connectionState = try value("connection", ConnectionState.self)
        filter.configuration = nonEmpty("configuration")
        filter.isDeleted = try request.queryValue("deleted", as: Bool.self) ?? false
        filter.order = try value("order", DeviceFilter.Order.self) ?? .newest
        return filter
    }

    private static func counts(_ registry: RegistryService) -> Endpoint {
        .get(
            "/api/devices/counts", "How many devices there are, by connection state.", tag: "devices",
            access: .permission("device", "read"), answers: CountsView.self
        ) { request in
            let counts = try await registry.deviceCounts(in: request.principal.requiredScope())
            return CountsView(
                total: counts.total, online: counts.online, warning: counts.warning, offline: counts.offline,
                unknown: counts.unknown)
        }
    }

    /// The code that a restored device gets, when its own is taken.
    package struct RestoreBody: Codable, Sendable {
        package var code: String?
    }

    private static func single(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/devices/{device}", "A device, by identifier, code or external identifier.", tag: "devices",
                access: .permission("device", "read"), answers: Device.self
            ) { request in
                try await registry.device(request.pathValue("device"), in: request.principal.requiredScope())
            },
            .send(
                .post, "/api/devices", "Makes a device.", tag: "devices", access: .permission("device", "create"),
                body: DeviceDraft.self, answers: Device.self, status: .created
            ) { request, draft in
                try await registry.createDevice(draft, by: request.principal, in: request.principal.requiredScope())
            },
            .send(
                .patch, "/api/devices/{device}", "Changes a device.", tag: "devices",
                access: .permission("device", "update"), body: DeviceChange.self, answers: Device.self
            ) { request, change in
                try await registry.changeDevice(
                    request.pathValue("device"), change, version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
            .silent(
                .delete, "/api/devices/{device}", "Deletes a device; it can be restored.", tag: "devices",
                access: .permission("device", "delete")
            ) { request in
                try await registry.deleteDevice(
                    request.pathValue("device"), version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
            Endpoint(
                .post, "/api/devices/{device}/restore", "Restores a deleted device; the body may be left out.",
                tag: "devices", access: .permission("device", "delete"), body: RestoreBody.self, answers: Device.self
            ) { request in
                let bytes = try await request.body.collected(limit: Endpoint.defaultBodyLimit)
                let body = bytes.isEmpty ? RestoreBody() : try JSONBody.decode(RestoreBody.self, from: bytes)
                return try Endpoint.versioned(
                    try await registry.restoreDevice(
                        request.pathValue("device"), code: body.code, by: request.principal,
                        in: request.principal.requiredScope()), status: .ok)
            },
        ]
    }

    private static func discovered(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/discovered", "Devices that report without being known, newest first.", tag: "devices",
                access: .permission("device", "create"),
                parameters: [.init("ignored", "true for those that are ignored.")] + PlaceRoutes.paging,
                answers: Page<DiscoveredDevice>.self
            ) { request in
                let isIgnored = try request.queryValue("ignored", as: Bool.self) ?? false
                let devices = try await registry.discovered(
                    isIgnored ? .ignored : .discovered, PlaceRoutes.page(of: request),
                    in: request.principal.requiredScope())
                return Page(items: devices.items, next: devices.next?.text)
            },
            .send(
                .post, "/api/discovered/{device}/claim", "Makes it a device, which keeps its readings.",
                tag: "devices", access: .permission("device", "claim"), body: DeviceClaim.self, answers: Device.self
            ) { request, claim in
                try await registry.claim(
                    request.pathValue("device"), as: claim, by: request.principal,
                    in: request.principal.requiredScope())
            },
            .perform(
                .post, "/api/discovered/{device}/ignore", "Shows it no more among the discovered.", tag: "devices",
                access: .permission("device", "claim"), answers: DiscoveredDevice.self
            ) { request in
                try await registry.ignore(
                    request.pathValue("device"), by: request.principal, in: request.principal.requiredScope())
            },
        ]
    }
}

extension Device: Versioned {}
