import HTTPTypes
import VigilModel
package import VigilServices

/// Alerts: what waits for somebody, and what became of the rest.
package enum AlertRoutes {
    /// What a person says with an action.
    package struct Note: Codable, Sendable {
        package var note: String?
    }

    package static func all(_ alerting: AlertingService) -> [Endpoint] {
        [list(alerting), statistics(alerting)] + single(alerting) + actions(alerting)
    }

    private static func list(_ alerting: AlertingService) -> Endpoint {
        .get(
            "/api/alerts", "Alerts, newest first.", tag: "alerts", access: .permission("alert", "read"),
            parameters: [
                .init("severity", "info, low, medium, high or critical; may come more than once."),
                .init("acknowledged", "true or false."),
                .init("closure", "open, resolved or dismissed; may come more than once."),
                .init("type", "intrusion, environmental, malfunction, system or custom."),
                .init("device", "UUID or code."), .init("site", "UUID."), .init("rule", "UUID."),
                .init("from", "RFC 3339."), .init("to", "RFC 3339."), .init("cursor", "Where the page begins."),
                .init("limit", "At most 500; 50 when absent."),
            ], answers: Page<AlertView>.self
        ) { request in
            let page = try await alerting.alerts(
                try filter(of: request), cursor: request.queryValue("cursor"), limit: try RuleRoutes.limit(of: request),
                in: request.principal.requiredScope())
            return Page(items: page.items, next: page.next)
        }
    }

    private static func filter(of request: Request) throws(ServiceError) -> AlertFilter {
        var filter = AlertFilter()
        filter.severities = try values("severity", Severity.allCases, request) { $0.lowercased() }
        filter.closures = try values("closure", AlertClosure.allCases, request)
        filter.types = try values("type", AlertType.allCases, request)
        if let text = request.queryValue("acknowledged") { filter.acknowledged = ["true", "1", "yes"].contains(text) }
        filter.device = request.queryValue("device")
        filter.site = try request.queryValue("site", as: SiteID.self)
        filter.rule = try request.queryValue("rule", as: RuleID.self)
        filter.from = try request.queryValue("from", as: Timestamp.self)
        filter.to = try request.queryValue("to", as: Timestamp.self)
        return filter
    }

    private static func values<Value: RawRepresentable<String>>(
        _ name: String, _ all: [Value], _ request: Request, _ read: (String) -> String = { $0 }
    ) throws(ServiceError) -> [Value] {
        var values: [Value] = []
        for text in request.queryValues(name).flatMap({ $0.split(separator: ",") }) {
            guard let value = Value(rawValue: read(String(text))) else {
                let allowed = all.map(\.rawValue).joined(separator: ", ")
                throw .invalid(name, "must be one of \(allowed)", code: "request.query")
            }
            values.append(value)
        }
        return values
    }

    private static func statistics(_ alerting: AlertingService) -> Endpoint {
        .get(
            "/api/alerts/statistics", "Counts of the alerts of the last days.", tag: "alerts",
            access: .permission("alert", "read"), parameters: [.init("days", "1 to 366; 7 when absent.")],
            answers: AlertStatistics.self
        ) { request in
            let days = try request.queryValue("days", as: Int.self) ?? 7
            guard (1...366).contains(days) else {
                throw ServiceError.invalid("days", "must be 1 to 366", code: "request.query")
            }
            return try await alerting.statistics(days: days, in: request.principal.requiredScope())
        }
    }

    private static func single(_ alerting: AlertingService) -> [Endpoint] {
        [
            .get(
                "/api/alerts/{alert}", "An alert.", tag: "alerts", access: .permission("alert", "read"),
                answers: AlertView.self
            ) { request in
                try await alerting.alert(try identifier(request), in: request.principal.requiredScope())
            },
            .get(
                "/api/alerts/{alert}/journal", "What happened to an alert, oldest first.", tag: "alerts",
                access: .permission("alert", "read"), answers: Page<AlertJournalView>.self
            ) { request in
                let items = try await alerting.journal(
                    of: try identifier(request), in: request.principal.requiredScope())
                return Page(items: items, next: nil)
            },
        ]
    }

    private static func actions(_ alerting: AlertingService) -> [Endpoint] {
        [
            action("acknowledge", "Acknowledges an alert; twice changes nothing.") { request, id, note, version in
                try await alerting.acknowledge(id, note: note, version: version, by: request.principal)
            },
            action("resolve", "Closes an alert.") { request, id, note, version in
                try await alerting.resolve(id, note: note, version: version, by: request.principal)
            },
            action("dismiss", "Closes an alert as wrong.") { request, id, note, version in
                try await alerting.dismiss(id, note: note, version: version, by: request.principal)
            },
            action("comments", permission: "acknowledge", "Writes a comment into an alert's journal.") {
                request, id, note, _ in
                try await alerting.comment(id, note: note ?? "", by: request.principal)
            },
        ]
    }

    /// An action takes an optional body `{"note": …}` and the version in `If-Match`.
    private static func action(
        _ name: String, permission: String? = nil, _ summary: String,
        handler: @escaping @Sendable (Request, AlertID, String?, Int?) async throws -> AlertView
    ) -> Endpoint {
        Endpoint(
            .post, "/api/alerts/{alert}/\(name)", summary, tag: "alerts",
            access: .permission("alert", permission ?? name), body: Note.self, answers: AlertView.self
        ) { request in
            let bytes = try await request.body.collected(limit: Endpoint.defaultBodyLimit)
            let note = bytes.isEmpty ? nil : try JSONBody.decode(Note.self, from: bytes).note
            let view = try await handler(request, try identifier(request), note, try request.expectedVersion())
            return try .json(view, version: view.version)
        }
    }

    private static func identifier(_ request: Request) throws(ServiceError) -> AlertID {
        guard let id = AlertID(request.pathValue("alert")) else { throw .notFound("alert") }
        return id
    }
}

extension AlertView: Versioned {}
