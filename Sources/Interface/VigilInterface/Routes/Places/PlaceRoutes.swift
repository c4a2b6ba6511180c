import HTTPTypes
import VigilModel
package import VigilServices

/// Sites, their locations, and profiles.
package enum PlaceRoutes {
    package static func all(_ registry: RegistryService) -> [Endpoint] {
        sites(registry) + siteChanges(registry) + locations(registry) + profiles(registry)
    }

    static let paging: [Endpoint.Parameter] = [
        .init("cursor", "Where the page begins."), .init("limit", "At most 500; 50 when absent."),
    ]

    static func page(of request: Request) throws -> PageRequest {
        try PageRequest(limit: request.queryValue("limit", as: Int.self), cursor: request.queryValue("cursor"))
    }

    private static func sites(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/sites", "Sites, by name.", tag: "places", access: .permission("site", "read"),
                parameters: [.init("search", "A part of the name or code."), .init("kind", "Only this kind.")] + paging,
                answers: Page<Site>.self
            ) { request in
                let sites = try await registry.sites(
                    page(of: request), text: request.queryValue("search"), kind: request.queryValue("kind"),
                    in: request.principal.requiredScope())
                return Page(items: sites.items, next: sites.next?.text)
            },
            .get(
                "/api/sites/map", "All sites as GeoJSON.", tag: "places", access: .permission("site", "read"),
                answers: JSONValue.self
            ) { request in
                try await registry.siteMap(in: request.principal.requiredScope())
            },
            .get(
                "/api/sites/{site}", "A site, by identifier or code.", tag: "places",
                access: .permission("site", "read"), answers: Site.self
            ) { request in
                try await registry.site(request.pathValue("site"), in: request.principal.requiredScope())
            },
            .get(
                "/api/sites/{site}/map", "A site with its locations and devices as GeoJSON.", tag: "places",
                access: .permission("site", "read"), answers: JSONValue.self
            ) { request in
                try await registry.map(of: request.pathValue("site"), in: request.principal.requiredScope())
            },
            .get(
                "/api/sites/{site}/devices", "The devices of a site.", tag: "places",
                access: .permission("device", "read"), parameters: paging, answers: Page<DeviceSummary>.self
            ) { request in
                var filter = DeviceFilter()
                filter.site = request.pathValue("site")
                filter.order = .name
                // A site that is not there has no devices, and is not there.
                _ = try await registry.site(request.pathValue("site"), in: request.principal.requiredScope())
                let devices = try await registry.devices(
                    filter, page(of: request), in: request.principal.requiredScope())
                return Page(items: devices.items, next: devices.next?.text)
            },
        ]
    }

    private static func siteChanges(_ registry: RegistryService) -> [Endpoint] {
        [
            .send(
                .post, "/api/sites", "Makes a site.", tag: "places", access: .permission("site", "create"),
                body: SiteDraft.self, answers: Site.self, status: .created
            ) { request, draft in
                try await registry.createSite(
                    draft, by: request.principal, in: request.principal.requiredScope())
            },
            .send(
                .patch, "/api/sites/{site}", "Changes a site.", tag: "places", access: .permission("site", "update"),
                body: SiteChange.self, answers: Site.self
            ) { request, change in
                try await registry.changeSite(
                    request.pathValue("site"), change, version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
            .silent(
                .delete, "/api/sites/{site}", "Deletes a site without devices.", tag: "places",
                access: .permission("site", "delete")
            ) { request in
                try await registry.deleteSite(
                    request.pathValue("site"), version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
        ]
    }

    private static func locations(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/sites/{site}/locations", "The parts of a site, each before what is below it.", tag: "places",
                access: .permission("location", "read"), parameters: paging, answers: Page<Location>.self
            ) { request in
                let locations = try await registry.locations(
                    of: request.pathValue("site"), page(of: request), in: request.principal.requiredScope())
                return Page(items: locations.items, next: locations.next?.text)
            },
            .get(
                "/api/locations/{location}", "A location, by identifier or code.", tag: "places",
                access: .permission("location", "read"), answers: Location.self
            ) { request in
                try await registry.location(request.pathValue("location"), in: request.principal.requiredScope())
            },
            .send(
                .post, "/api/locations", "Makes a location.", tag: "places",
                access: .permission("location", "create"), body: LocationDraft.self, answers: Location.self,
                status: .created
            ) { request, draft in
                try await registry.createLocation(draft, by: request.principal, in: request.principal.requiredScope())
            },
            .send(
                .patch, "/api/locations/{location}", "Changes or moves a location with all below it.", tag: "places",
                access: .permission("location", "update"), body: LocationChange.self, answers: Location.self
            ) { request, change in
                try await registry.changeLocation(
                    request.pathValue("location"), change, version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
            .silent(
                .delete, "/api/locations/{location}", "Deletes a location.", tag: "places",
                access: .permission("location", "delete")
            ) { request in
                try await registry.deleteLocation(
                    request.pathValue("location"), version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
        ]
    }

    private static func profiles(_ registry: RegistryService) -> [Endpoint] {
        [
            .get(
                "/api/profiles", "Profiles, by name.", tag: "places", access: .permission("profile", "read"),
                parameters: [.init("kind", "Only this kind.")] + paging, answers: Page<Profile>.self
            ) { request in
                let profiles = try await registry.profiles(
                    page(of: request), kind: request.queryValue("kind"), in: request.principal.requiredScope())
                return Page(items: profiles.items, next: profiles.next?.text)
            },
            .get(
                "/api/profiles/{profile}", "A profile, by identifier or code.", tag: "places",
                access: .permission("profile", "read"), answers: Profile.self
            ) { request in
                try await registry.profile(request.pathValue("profile"), in: request.principal.requiredScope())
            },
            .send(
                .post, "/api/profiles", "Makes a profile.", tag: "places", access: .permission("profile", "create"),
                body: ProfileDraft.self, answers: Profile.self, status: .created
            ) { request, draft in
                try await registry.createProfile(draft, by: request.principal, in: request.principal.requiredScope())
            },
            .send(
                .patch, "/api/profiles/{profile}", "Changes a profile.", tag: "places",
                access: .permission("profile", "update"), body: ProfileChange.self, answers: Profile.self
            ) { request, change in
                try await registry.changeProfile(
                    request.pathValue("profile"), change, version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
            .silent(
                .delete, "/api/profiles/{profile}", "Deletes a profile that no device has.", tag: "places",
                access: .permission("profile", "delete")
            ) { request in
                try await registry.deleteProfile(
                    request.pathValue("profile"), version: request.expectedVersion(), by: request.principal,
                    in: request.principal.requiredScope())
            },
        ]
    }
}

extension Site: Versioned {}
extension Location: Versioned {}
extension Profile: Versioned {}
