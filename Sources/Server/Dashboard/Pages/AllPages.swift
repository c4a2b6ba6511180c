import VigilInterface
import VigilModel
import VigilServices

extension Dashboard {
    /// Every page behind the sign-in.
    static let all: [PageDeclaration] = [overview] + places + watching + administration + PeoplePages.all

    static let overview = PageDeclaration(
        "/", template: "overview", permission: Permission("device", "read"), title: { _ in "Overview" },
        sources: [
            .init("alerts", "/api/alerts?closure=open&limit=8", optional: true),
            .init("statistics", "/api/alerts/statistics?days=366", optional: true),
            .init("counts", "/api/devices/counts"),
            .init("sites", "/api/sites?limit=12"),
        ], complete: latestOfSites)

    static let places = [
        PageDeclaration(
            "/sites", template: "sites", permission: Permission("site", "read"), title: { _ in "Sites" },
            sources: [.init("sites", "/api/sites?limit=100", passing: ["cursor", "search"])]),
        PageDeclaration(
            "/sites/{site}", template: "site", permission: Permission("site", "read"),
            title: { $0["site"]?["name"]?.text ?? "Site" },
            sources: [
                .init("site", "/api/sites/{site}"),
                .init("locations", "/api/sites/{site}/locations"),
                .init("siteDevices", "/api/sites/{site}/devices?limit=200"),
                .init("latest", "/api/sites/{site}/latest", optional: true),
            ], complete: alertsOfSite),
        PageDeclaration(
            "/devices", template: "devices", permission: Permission("device", "read"), title: { _ in "Devices" },
            sources: [
                .init(
                    "devices", "/api/devices?limit=50",
                    passing: ["cursor", "search", "site", "status", "connection", "kind"]),
                .init("sites", "/api/sites?limit=200", optional: true),
            ],
            complete: { values, _, request in
                values["connections"] = choices(["online", "warning", "offline", "unknown"], "connection", request)
                values["states"] = choices(["active", "inactive", "error", "maintenance"], "status", request)
            }),
        PageDeclaration(
            "/devices/{device}", template: "device", permission: Permission("device", "read"),
            title: { $0["device"]?["name"]?.text ?? "Device" },
            sources: [
                .init("device", "/api/devices/{device}"),
                .init("latest", "/api/devices/{device}/latest", optional: true),
                .init(
                    "readings", "/api/devices/{device}/readings?limit=10", passing: ["cursor", "to"], optional: true),
                .init("alerts", "/api/alerts?limit=10&device={device}", optional: true),
            ], complete: metricsOfDevice),
    ]

    static let watching = [
        PageDeclaration(
            "/alerts", template: "alerts", permission: Permission("alert", "read"), title: { _ in "Alerts" },
            sources: [
                .init(
                    "alerts", "/api/alerts?limit=50",
                    passing: ["cursor", "closure", "severity", "acknowledged", "type"]),
                .init("statistics", "/api/alerts/statistics?days=366"),
            ],
            complete: { values, _, request in
                values["closures"] = choices(["open", "resolved", "dismissed"], "closure", request)
                values["severities"] = choices(Severity.allCases.map(\.rawValue), "severity", request)
            }),
        PageDeclaration(
            "/alerts/{alert}", template: "alert", permission: Permission("alert", "read"),
            title: { $0["alert"]?["title"]?.text ?? "Alert" },
            sources: [
                .init("alert", "/api/alerts/{alert}"),
                .init("journal", "/api/alerts/{alert}/journal"),
            ]),
        RulePages.list, RulePages.single,
    ]

    static let administration = [
        PageDeclaration(
            "/discovered", template: "discovered", permission: Permission("device", "create"),
            title: { _ in "Discovered" },
            sources: [
                .init("devices", "/api/discovered?limit=100", passing: ["cursor"]),
                .init("profiles", "/api/profiles?limit=200", optional: true),
                .init("sites", "/api/sites?limit=200", optional: true),
            ]),
        PageDeclaration(
            "/fields", template: "fields", permission: Permission("field", "read"), title: { _ in "Fields" },
            sources: [.init("fields", "/api/fields?limit=100", passing: ["cursor", "state", "search"])],
            complete: { values, _, request in
                values["states"] = choices(["new", "promoted", "ignored"], "state", request)
            }),
        PageDeclaration(
            "/jobs", template: "jobs", permission: Permission("job", "read"), title: { _ in "Jobs" },
            sources: [
                .init("jobs", "/api/jobs?limit=100", passing: ["cursor", "state"]),
                .init("batches", "/api/ingest/log?limit=20", optional: true),
            ],
            complete: { values, _, request in
                values["states"] = choices(["waiting", "running", "done", "dead"], "state", request)
            }),
        PageDeclaration(
            "/audit", template: "audit", permission: Permission("audit", "read"), title: { _ in "Audit trail" },
            sources: [.init("entries", "/api/audit?limit=100", passing: ["cursor", "resource", "action"])]),
        PageDeclaration(
            "/users", template: "users", permission: Permission("user", "read"), title: { _ in "Users" },
            sources: [
                .init("users", "/api/users?limit=100", passing: ["cursor", "search"]),
                .init("roles", "/api/roles", optional: true),
                .init("invitations", "/api/invitations", optional: true),
            ]),
        PageDeclaration(
            "/account", template: "account", permission: Permission("device", "read"), title: { _ in "Your account" },
            sources: [
                .init("me", "/api/auth/me"),
                .init("tenants", "/api/tenants?limit=200", optional: true),
                .init("sessions", "/api/sessions", optional: true),
                .init("tokens", "/api/tokens?limit=100", optional: true),
            ]),
    ]
}

extension Dashboard {
    /// The choices of a filter, with the present one marked.
    static func choices(_ names: [String], _ item: String, _ request: Request) -> JSONValue {
        .array(
            names.map { name in
                .object(["name": .string(name), "isChosen": .bool(request.queryValue(item) == name)])
            })
    }

    /// The latest values of the sites on the overview: at most twelve sites, two answers each.
    @Sendable private static func latestOfSites(
        _ values: inout [String: JSONValue], _ renderer: PageRenderer, _ request: Request
    ) async throws {
        var sites: [JSONValue] = []
        for site in values["sites"]?["items"]?.elements ?? [] {
            guard var members = site.members, let code = site["code"]?.text else { continue }
            let path = "/api/sites/" + QueryText.encoded(code)
            let latest = try await renderer.read(path + "/latest", for: request)["items"]?.elements ?? []
            let devices = try await renderer.read(path + "/devices?limit=12", for: request)["items"]?.elements ?? []
            members["deviceList"] = .array(
                devices.map { device in
                    var device = device.members ?? [:]
                    let own = latest.filter { $0["device"] == device["id"] }.prefix(8)
                    device["latest"] = .array(own.map { $0 })
                    return .object(device)
                })
            sites.append(.object(members))
        }
        values["overview"] = .object(["sites": .array(sites)])
    }

    /// The metrics that a device's chart can show: those whose latest value is a number.
    @Sendable private static func metricsOfDevice(
        _ values: inout [String: JSONValue], _ renderer: PageRenderer, _ request: Request
    ) async throws {
        let latest = values["latest"]?["items"]?.elements ?? []
        let wanted = request.queryValue("metric")
        var seen: Set<String> = []
        values["metrics"] = .array(
            latest.compactMap { value in
                // A yes or no is drawn as 1 and 0.
                guard let metric = value["metric"]?.text, let latest = value["value"],
                    latest.double != nil || latest.boolean != nil, seen.insert(metric).inserted
                else { return nil }
                return .object(["metric": .string(metric), "isChosen": .bool(metric == wanted)])
            })
        values["hasMetrics"] = .bool(!seen.isEmpty)
    }

    @Sendable private static func alertsOfSite(
        _ values: inout [String: JSONValue], _ renderer: PageRenderer, _ request: Request
    ) async throws {
        guard let site = values["site"]?["id"]?.text, request.principal.may(Permission("alert", "read")) else { return }
        values["alerts"] = try await renderer.read("/api/alerts?closure=open&limit=10&site=\(site)", for: request)
    }
}
