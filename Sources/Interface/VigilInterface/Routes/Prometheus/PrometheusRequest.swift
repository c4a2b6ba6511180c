import HTTPTypes
import PromQLEvaluation
import VigilModel
import VigilServices

/// A question with its parameters, whether they stand in the address or in a form.
struct PrometheusRequest: Sendable {
    let scope: AccessScope
    private let request: Request
    private let items: [FormItems.Item]

    /// The longest form.
    private static let bodyLimit = 256 * 1024
    /// The most entries of a list.
    private static let listLimit = 200_000

    /// Reads the parameters, and leaves the form in the request, so that it can be read again.
    init(_ request: inout Request) async throws {
        scope = try request.principal.requiredScope()
        guard request.method == .post else {
            self.request = request
            items = request.query
            return
        }
        let body = try await request.body.collected(limit: Self.bodyLimit)
        request.body = RequestBody(bytes: body)
        self.request = request
        guard let form = FormItems.parse(body) else {
            throw ServiceError.invalid("body", "is not a form", code: "request.form")
        }
        // What the form says wins over the address, as in Prometheus.
        items = form + request.query
    }

    func pathValue(_ name: String) -> String { request.pathValue(name) }

    func value(_ name: String) -> String? {
        items.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    func required(_ name: String) throws(QueryError) -> String {
        guard let value = value(name) else { throw Self.missing(name) }
        return value
    }

    static func missing(_ name: String) -> QueryError {
        QueryError(.badData, "invalid parameter \"\(name)\": it is missing")
    }

    func time(_ name: String) throws(QueryError) -> Timestamp? {
        guard let text = value(name) else { return nil }
        guard let time = QueryParameters.time(text) else {
            throw QueryError(.badData, "invalid parameter \"\(name)\": cannot parse it to a valid timestamp")
        }
        return time
    }

    /// How long the sender waits at most.
    var timeout: Span? {
        get throws(QueryError) {
            guard let text = value("timeout") else { return nil }
            guard let span = QueryParameters.span(text) else {
                throw QueryError(.badData, "invalid parameter \"timeout\": cannot parse it to a valid duration")
            }
            return span
        }
    }

    /// From `start` to `end`, both included; all of time when they are absent.
    var range: TimeRange {
        get throws(QueryError) {
            let start = try time("start") ?? .distantPast
            let end = try time("end") ?? .distantFuture
            guard end >= start else { throw QueryError(.badData, "end timestamp must not be before start timestamp") }
            return TimeRange(start, Timestamp(microseconds: end.microseconds + 1))
        }
    }

    var selectors: [[LabelMatcher]] {
        get throws(QueryError) {
            var selectors: [[LabelMatcher]] = []
            for item in items where item.name == "match[]" {
                selectors.append(try QueryParameters.matchers(item.value))
            }
            return selectors
        }
    }

    var limit: Int {
        get throws(QueryError) {
            guard let text = value("limit") else { return Self.listLimit }
            guard let limit = Int(text), limit >= 0 else {
                throw QueryError(.badData, "invalid parameter \"limit\": it must be a non-negative number")
            }
            return limit == 0 ? Self.listLimit : min(limit, Self.listLimit)
        }
    }
}
