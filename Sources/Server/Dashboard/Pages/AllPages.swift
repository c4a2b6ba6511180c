import VigilInterface
import VigilModel

extension Dashboard {
    /// Every page behind the sign-in.
    static let all: [PageDeclaration] = [overview] + places + watching + administration

    static let overview = PageDeclaration(
        "/", template: "overview", permission: Permission("device", "read"), title: { _ in "Overview" },
        sources: [
            .init("alerts", "/api/alerts?closure=open&limit=8", optional: true),
            .init("statistics", "/api/alerts/statistics", optional: true),
            .init("sites", "/api/sites?limit=100", optional: true),
            .init("counts", "/api/devices/counts"),
            .init("overview", "/api/overview/latest"),
        ])

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
                .init("devices", "/api/sites/{site}/devices?limit=200"),
                .init("latest", "/api/sites/{site}/latest", optional: true),
                .init("alerts", "/api/alerts?closure=open&limit=10&site={site}", optional: true),
            ]),
        PageDeclaration(
            "/devices", template: "devices", permission: Permission("device", "read"), title: { _ in "Devices" },
            sources: [
                .init("devices", "/api/devices?limit=50", passing: ["cursor", "search", "site", "status", "connection", "kind"]),
                .init("sites", "/api/sites?limit=200", optional: true),
            ]),
        PageDeclaration(
            "/devices/{device}", template: "device", permission: Permission("device", "read"),
            title: { $0["device"]?["name"]?.text ?? "Device" },
            sources: [
                .init("device", "/api/devices/{device}"),
                .init("latest", "/api/devices/{device}/latest", optional: true),
                .init("readings", "/api/devices/{device}/readings?limit=50", passing: ["cursor", "to"], optional: true),
                .init("alerts", "/api/alerts?limit=10&device={device}", optional: true),
            ]),
    ]

    static let watching = [
        PageDeclaration(
            "/alerts", template: "alerts", permission: Permission("alert", "read"), title: { _ in "Alerts" },
            sources: [
                .init(
                    "alerts", "/api/alerts?limit=50",
                    passing: ["cursor", "closure", "severity", "acknowledged", "type", "search"]),
                .init("statistics", "/api/alerts/statistics"),
            ]),
        PageDeclaration(
            "/alerts/{alert}", template: "alert", permission: Permission("alert", "read"),
            title: { $0["alert"]?["title"]?.text ?? "Alert" },
            sources: [
                .init("alert", "/api/alerts/{alert}"),
                .init("journal", "/api/alerts/{alert}/journal"),
            ]),
        PageDeclaration(
            "/rules", template: "rules", permission: Permission("rule", "read"), title: { _ in "Rules" },
            sources: [.init("rules", "/api/rules?limit=100", passing: ["cursor"])]),
    ]

    static let administration = [
        PageDeclaration(
            "/discovered", template: "discovered", permission: Permission("device", "create"),
            title: { _ in "Discovered" },
            sources: [
                .init("devices", "/api/discovered?limit=100", passing: ["cursor"]),
                .init("fields", "/api/fields?limit=100", optional: true),
                .init("profiles", "/api/profiles?limit=200", optional: true),
                .init("sites", "/api/sites?limit=200", optional: true),
            ]),
        PageDeclaration(
            "/jobs", template: "jobs", permission: Permission("job", "read"), title: { _ in "Jobs" },
            sources: [.init("jobs", "/api/jobs?limit=100", passing: ["cursor", "state"])]),
        PageDeclaration(
            "/users", template: "users", permission: Permission("user", "read"), title: { _ in "Users" },
            sources: [
                .init("users", "/api/users?limit=100", passing: ["cursor", "search"]),
                .init("roles", "/api/roles?limit=100", optional: true),
            ]),
        PageDeclaration(
            "/account", template: "account", permission: Permission("device", "read"), title: { _ in "Your account" },
            sources: [
                .init("me", "/api/auth/me"),
                .init("sessions", "/api/sessions", optional: true),
                .init("tokens", "/api/tokens?limit=100", optional: true),
            ]),
    ]
}
