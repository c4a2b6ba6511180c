import HTTPTypes
package import PromQLEvaluation
import VigilModel
package import VigilPorts
import VigilServices

/// The HTTP interface of Prometheus, as Grafana's data source asks it.
///
/// Every question comes by GET or as a POST with a form. Errors have Prometheus' form instead of a problem's.
package struct PrometheusRoutes: Sendable {
    private let engine: PromQLEngine
    private let clock: any TimeSource
    private let version: String

    package init(_ engine: PromQLEngine, clock: any TimeSource, version: String) {
        self.engine = engine
        self.clock = clock
        self.version = version
    }

    package var all: [Endpoint] {
        questions + catalogue
    }

    private var questions: [Endpoint] {
        question(
            "/api/v1/query", "Evaluates PromQL at one moment.",
            [Self.query, .init("time", "Seconds or RFC 3339; now when absent."), Self.timeout]
        ) { request in
            .instant(try request.time("time") ?? clock.now())
        }
            + question(
                "/api/v1/query_range", "Evaluates PromQL at every step of a stretch of time.",
                [
                    Self.query, .init("start", "Seconds or RFC 3339.", required: true),
                    .init("end", "Seconds or RFC 3339.", required: true),
                    .init("step", "Seconds or a duration such as 5m.", required: true),
                    Self.timeout,
                ]
            ) { request in
                guard let start = try request.time("start") else { throw PrometheusRequest.missing("start") }
                guard let end = try request.time("end") else { throw PrometheusRequest.missing("end") }
                guard let step = QueryParameters.span(try request.required("step")) else {
                    throw QueryError(.badData, "invalid parameter \"step\": cannot parse it to a valid duration")
                }
                return .range(from: start, to: end, step: step)
            }
    }

    private func question(
        _ path: String, _ summary: String, _ parameters: [Endpoint.Parameter],
        _ moments: @escaping @Sendable (PrometheusRequest) throws -> QueryMoments
    ) -> [Endpoint] {
        both(
            path, summary, parameters,
            quick: { request in
                guard try limit(of: request).microseconds > 0 else { return nil }
                let moments = try moments(request)
                return try await engine.narrowAnswer(try request.required("query"), at: moments, in: request.scope)
            }
        ) { request in
            let moments = try moments(request)
            let query = try request.required("query")
            return try await inTime(request) { engine in
                try await engine.answer(query, at: moments, in: request.scope)
            }
        }
    }

    private static let query = Endpoint.Parameter("query", "The PromQL expression.", required: true)
    private static let timeout = Endpoint.Parameter(
        "timeout", "Seconds or a duration: the query takes no longer, nor than the server allows.")
    private static let selectors: [Endpoint.Parameter] = [
        .init("match[]", "A series selector; may come several times."), .init("start", "Seconds or RFC 3339."),
        .init("end", "Seconds or RFC 3339."), .init("limit", "How many entries at most."),
    ]

    private var catalogue: [Endpoint] {
        both("/api/v1/series", "Lists series by their labels.", Self.selectors) { request in
            let selectors = try request.selectors
            guard !selectors.isEmpty else { throw QueryError(.badData, "no match[] parameter provided") }
            let series = try await engine.series(selectors, in: try request.range, in: request.scope)
            return PrometheusAnswer.bytes(Array(series.prefix(try request.limit)))
        }
            + both("/api/v1/labels", "Lists the names of labels.", Self.selectors) { request in
                let names = try await engine.labelNames(try request.selectors, in: try request.range, in: request.scope)
                return PrometheusAnswer.bytes(Array(names.prefix(try request.limit)))
            }
            + [
                endpoint(.get, "/api/v1/label/{name}/values", "Lists the values of a label.", Self.selectors) {
                    request in
                    let values = try await engine.labelValues(
                        of: request.pathValue("name"), try request.selectors, in: try request.range, in: request.scope)
                    return PrometheusAnswer.bytes(Array(values.prefix(try request.limit)))
                },
                endpoint(
                    .get, "/api/v1/metadata", "Lists the names of metrics.",
                    [.init("metric", "Only this one."), .init("limit", "How many at most.")]
                ) { request in
                    let metric = request.value("metric")
                    let names = try await engine.labelValues(
                        of: LabelMatcher.metricName, metric.map { [[.metric($0)]] } ?? [], in: .always,
                        in: request.scope)
                    return PrometheusAnswer.metadata(Array(names.prefix(try request.limit)))
                },
                endpoint(.get, "/api/v1/status/buildinfo", "Tells which version answers.", []) { _ in
                    PrometheusAnswer.bytes([
                        (name: "version", value: version), (name: "revision", value: ""), (name: "branch", value: ""),
                        (name: "buildUser", value: ""), (name: "buildDate", value: ""), (name: "goVersion", value: ""),
                    ])
                },
            ]
            + both("/api/v1/query_exemplars", "Answers that there are no exemplars.", [Self.query]) { _ in
                PrometheusAnswer.bytes([String]())
            }
    }

    // MARK: - Time

    /// Evaluates on the threads for that, and leaves it when its time is over.
    private func inTime(
        _ request: PrometheusRequest, _ evaluate: @escaping @Sendable (PromQLEngine) async throws -> [UInt8]
    ) async throws -> [UInt8] {
        let limit = try limit(of: request)
        let (engine, clock) = (engine.limited(to: limit), clock)
        let late = QueryError(.timeout, "query timed out in expression evaluation")
        guard limit.microseconds > 0 else { throw late }
        return try await withThrowingTaskGroup(of: [UInt8].self) { tasks in
            tasks.addTask(executorPreference: QueryThreads.shared) { try await evaluate(engine) }
            tasks.addTask {
                try await clock.wait(for: limit)
                throw late
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? []
        }
    }

    private func limit(of request: PrometheusRequest) throws(QueryError) -> Span {
        min(try request.timeout ?? engine.limits.duration, engine.limits.duration)
    }

    // MARK: - Endpoints

    private typealias Quick = @Sendable (PrometheusRequest) async throws -> [UInt8]?

    private func both(
        _ path: String, _ summary: String, _ parameters: [Endpoint.Parameter], quick: Quick? = nil,
        _ answer: @escaping @Sendable (PrometheusRequest) async throws -> [UInt8]
    ) -> [Endpoint] {
        [HTTPRequest.Method.get, .post].map { method in
            let endpoint = endpoint(method, path, summary, parameters, answer)
            guard let quick else { return endpoint }
            return endpoint.answeringQuickly { request in
                try await Self.answered(&request, quick)
            }
        }
    }

    private func endpoint(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ parameters: [Endpoint.Parameter],
        _ answer: @escaping @Sendable (PrometheusRequest) async throws -> [UInt8]
    ) -> Endpoint {
        Endpoint(
            method, path, summary, tag: "queries", access: .permission("reading", "read"), parameters: parameters,
            bodyMediaType: method == .post ? "application/x-www-form-urlencoded" : nil
        ) { request in
            var request = request
            return try await Self.answered(&request, answer) ?? Self.response([], .internalServerError)
        }.takingAnyQuery().answeringUntagged()
    }

    /// - Returns: `nil` where `answer` has none.
    private static func answered(_ request: inout Request, _ answer: Quick) async throws -> Response? {
        let asked = try await PrometheusRequest(&request)
        do {
            return try await answer(asked).map { response($0, .ok) }
        } catch let error as QueryError {
            return response(PrometheusAnswer.bytes(error), status(of: error.kind))
        }
    }

    private static func response(_ bytes: [UInt8], _ status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: .bytes(bytes))
    }

    private static func status(of kind: QueryError.Kind) -> HTTPResponse.Status {
        switch kind {
        case .badData: .badRequest
        case .execution: .unprocessableContent
        case .timeout, .canceled, .unavailable: .serviceUnavailable
        case .internal: .internalServerError
        }
    }
}
