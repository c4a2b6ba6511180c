import HTTPTypes
import VigilModel
package import VigilServices

/// What belongs to a device: attributes, metadata with its history, positions.
package enum DeviceDetailRoutes {
    package static func all(_ registry: RegistryService) -> [Endpoint] {
        attributes(registry) + metadata(registry) + positions(registry)
    }

    private static func attributes(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/devices/{device}/attributes", "The attributes of a device.", tag: "devices",
                access: .permission("device", "read"),
                parameters: [.init("scope", "client, server or shared; all when absent.")],
                answers: Page<DeviceAttribute>.self
            ) { request in
                Page(
                    items: try await registry.attributes(
                        of: request.pathValue("device"), try request.queryValue("scope").map(scope(named:)),
                        by: request.principal, in: request.principal.requiredScope()), next: nil)
            },
            .send(
                .put, "/api/devices/{device}/attributes/client",
                "Sets what the device says of itself, by its own credential; null takes one away.", tag: "devices",
                access: .permission("reading", "write"), body: [String: JSONValue].self,
                answers: Page<DeviceAttribute>.self
            ) { request, values in
                Page(
                    items: try await registry.setAttributes(
                        of: request.pathValue("device"), .client, values, by: request.principal,
                        in: request.principal.requiredScope()), next: nil)
            },
            .send(
                .put, "/api/devices/{device}/attributes/{scope}", "Sets attributes; null takes one away.",
                tag: "devices", access: .permission("device", "update"), body: [String: JSONValue].self,
                answers: Page<DeviceAttribute>.self
            ) { request, values in
                Page(
                    items: try await registry.setAttributes(
                        of: request.pathValue("device"), try scope(named: request.pathValue("scope")), values,
                        by: request.principal, in: request.principal.requiredScope()), next: nil)
            },
        ]
    }

    private static func scope(named name: String) throws(ServiceError) -> AttributeScope {
        guard let scope = AttributeScope(rawValue: name) else {
            throw .invalid("scope", "must be client, server or shared", code: "request.query")
        }
        return scope
    }

    private static func metadata(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/devices/{device}/metadata", "The metadata of a device.", tag: "devices",
                access: .permission("device", "read"), answers: JSONValue.self
            ) { request in
                try await registry.metadata(of: request.pathValue("device"), in: request.principal.requiredScope())
            },
            .send(
                .patch, "/api/devices/{device}/metadata", "Changes members of the metadata; null takes one away.",
                tag: "devices", access: .permission("device", "update"), body: JSONValue.self, answers: Device.self
            ) { request, members in
                try await registry.changeMetadata(
                    of: request.pathValue("device"), members, version: request.expectedVersion(),
                    by: request.principal, in: request.principal.requiredScope())
            },
            .get(
                "/api/devices/{device}/metadata/history", "Each change of a member, newest first.", tag: "devices",
                access: .permission("device", "read"),
                parameters: [.init("field", "Only this member.")] + PlaceRoutes.paging,
                answers: Page<MetadataEntry>.self
            ) { request in
                let entries = try await registry.metadataHistory(
                    of: request.pathValue("device"), field: request.queryValue("field"),
                    PlaceRoutes.page(of: request), in: request.principal.requiredScope())
                return Page(items: entries.items, next: entries.next?.text)
            },
            .get(
                "/api/devices/{device}/snapshots", "The versions of the metadata, newest first.", tag: "devices",
                access: .permission("device", "read"), parameters: PlaceRoutes.paging,
                answers: Page<MetadataSnapshot>.self
            ) { request in
                let snapshots = try await registry.snapshots(
                    of: request.pathValue("device"), PlaceRoutes.page(of: request),
                    in: request.principal.requiredScope())
                return Page(items: snapshots.items, next: snapshots.next?.text)
            },
        ]
    }

    private static func positions(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/devices/{device}/positions", "Where a device is and was, newest first.", tag: "devices",
                access: .permission("device", "read"), parameters: PlaceRoutes.paging,
                answers: Page<DevicePosition>.self
            ) { request in
                let positions = try await registry.positions(
                    of: request.pathValue("device"), PlaceRoutes.page(of: request),
                    in: request.principal.requiredScope())
                return Page(items: positions.items, next: positions.next?.text)
            },
            .send(
                .post, "/api/devices/{device}/positions", "Says where a device is now; the position before ends.",
                tag: "devices", access: .permission("device", "update"), body: PositionDraft.self,
                answers: DevicePosition.self, status: .created
            ) { request, draft in
                try await registry.addPosition(
                    draft, of: request.pathValue("device"), by: request.principal,
                    in: request.principal.requiredScope())
            },
        ]
    }
}
