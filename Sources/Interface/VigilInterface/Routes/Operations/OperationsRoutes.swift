import HTTPTypes
package import VigilModel
package import VigilPorts
package import VigilServices

/// What machines ask of a server: whether it lives, whether it can work, and how it does.
package enum OperationsRoutes {
    /// The description of the API.
    ///
    /// - Parameters:
    ///   - make: Makes the OpenAPI document; called once, when somebody asks for it first.
    package static func description(_ make: @escaping @Sendable () -> JSONValue) -> Endpoint {
        let description = KeptDescription(make)
        return Endpoint(
            .get, "/openapi.json", "The description of this API, OpenAPI 3.1.", tag: "operations", access: .open,
            answers: JSONValue.self
        ) { _ in
            Response(
                headers: [.contentType: "application/json", .cacheControl: "public, max-age=60"],
                body: .bytes(await description.bytes()))
        }.takingAnyQuery()
    }

    /// Whether the server can do its work: 200, or 503 when a store that holds the truth is away.
    ///
    /// Which store it is, is told to callers with a token and to callers on this machine.
    package static func ready(_ readiness: Readiness) -> Endpoint {
        Endpoint(
            .get, "/ready", "Whether the server can do its work.", tag: "operations", access: .open,
            answers: ReadinessView.self
        ) { request in
            let states = await readiness.states()
            let isAway = states.contains { $0.state == .away }
            let status = isAway ? "away" : states.contains { $0.state == .degraded } ? "degraded" : "ready"
            return try .json(
                ReadinessView(status: status, stores: mayKnow(request) ? states : nil),
                status: isAway ? .serviceUnavailable : .ok)
        }.takingAnyQuery()
    }

    /// What the server counts, as Prometheus scrapes it; with a token, or from this machine.
    package static func metrics(_ metrics: MetricsService) -> Endpoint {
        Endpoint(
            .get, "/metrics", "What the server counts, in Prometheus' text form.", tag: "operations", access: .open
        ) { request in
            guard mayKnow(request) else {
                throw ServiceError(.unauthenticated, "auth.required", "Send a token, or ask from this machine.")
            }
            return .text(await metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }.takingAnyQuery()
    }

    /// What the program wrote to its log.
    package static func logs(_ logs: LogService) -> Endpoint {
        .get(
            "/api/logs", "What the program wrote to its log, newest first.", tag: "operations",
            access: .permission("log", "read"),
            parameters: [
                .init("level", "At least this important: trace, debug, info, notice, warning, error, critical."),
                .init("search", "A part of the message."), .init("label", "Who wrote it."),
                .init("from", "RFC 3339."), .init("to", "RFC 3339, not included."),
                .init("cursor", "Where the page begins."), .init("limit", "At most 500; 50 when absent."),
            ], answers: Page<LogService.Line>.self
        ) { request in
            try await logs.admit(request.principal)
            var filter = LogService.Filter()
            filter.level = request.queryValue("level")
            filter.text = request.queryValue("search")
            filter.label = request.queryValue("label")
            filter.from = try request.queryValue("from", as: Timestamp.self)
            filter.to = try request.queryValue("to", as: Timestamp.self)
            let limit = try RuleRoutes.limit(of: request)
            let cursor = try request.queryValue("cursor").map { text throws(ServiceError) in
                guard let id = EntryID(text) else { throw .invalid("cursor", "is not one that was given out") }
                return id
            }
            let lines = try await logs.lines(filter, cursor: cursor, limit: limit + 1)
            let items = Array(lines.prefix(limit))
            return Page(items: items, next: lines.count > limit ? items.last?.id.description : nil)
        }
    }

    /// What the stores find when they look at themselves, for `vigil doctor`.
    ///
    /// - Parameter inspect: Asks each store.
    package static func inspection(_ inspect: @escaping @Sendable () async throws -> [StoreFact]) -> Endpoint {
        .get(
            "/api/local/inspection", "Reads every file of the stores and says what is wrong.", tag: "operations",
            access: .local, answers: Page<StoreFact>.self
        ) { _ in
            Page(items: try await inspect(), next: nil)
        }
    }

    private static func mayKnow(_ request: Request) -> Bool {
        request.principal.subject != .anonymous || ["127.0.0.1", "::1", "local"].contains(request.remoteAddress)
    }

    /// Whether the process lives: it answers, so it does.
    package static func health(version: String) -> Endpoint {
        .get(
            "/health", "Whether the process lives.", tag: "operations", access: .open, answers: HealthView.self
        ) { _ in
            HealthView(name: "vigil", message: "ready for queries and writes", status: "pass", version: version)
        }.takingAnyQuery()
    }
}

/// The answer of `/health`.
///
/// InfluxDB's clients ask it, and know its members.
package struct HealthView: Codable, Sendable {
    package var name: String
    package var message: String
    /// pass.
    package var status: String
    package var version: String
}

/// The answer of `/ready`.
package struct ReadinessView: Codable, Sendable {
    /// ready, degraded or away.
    package var status: String
    package var stores: [Readiness.StoreState]?
}

/// The description of the API, made when somebody asks first: describing every type took half of the time of a start.
private actor KeptDescription {
    private let make: @Sendable () -> JSONValue
    private var made: [UInt8]?

    init(_ make: @escaping @Sendable () -> JSONValue) {
        self.make = make
    }

    func bytes() -> [UInt8] {
        if let made { return made }
        let bytes = Array(make().canonicalText.utf8)
        made = bytes
        return bytes
    }
}
