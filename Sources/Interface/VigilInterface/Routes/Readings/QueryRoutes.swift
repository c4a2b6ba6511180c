import HTTPTypes
import VigilModel
package import VigilServices

/// Questions about readings.
package enum QueryRoutes {
    package static func all(_ query: QueryService) -> [Endpoint] {
        [
            .get(
                "/api/devices/{device}/readings", "Readings of a device, newest first.", tag: "readings",
                access: .permission("reading", "read"),
                parameters: [
                    .init("metric", "Only readings that have it."), .init("from", "RFC 3339."),
                    .init("to", "RFC 3339, not included."), .init("cursor", "Where the page begins."),
                    .init("limit", "At most 500; 50 when absent."),
                ], answers: Page<ReadingView>.self
            ) { request in
                let page = try await query.readings(
                    ofDevice: request.pathValue("device"), metric: request.queryValue("metric"),
                    range: try range(of: request, default: .always), cursor: request.queryValue("cursor"),
                    limit: try RuleRoutes.limit(of: request), in: request.principal.requiredScope())
                return Page(items: page.items, next: page.next)
            },
            latest("/api/devices/{device}/latest", "The newest value of each metric of a device.") { request in
                try await query.latest(
                    ofDevice: request.pathValue("device"), in: request.principal.requiredScope())
            },
            latest("/api/sites/{site}/latest", "The newest values of all devices of a site.") { request in
                try await query.latest(ofSite: request.pathValue("site"), in: request.principal.requiredScope())
            },
            chart(query),
        ]
    }

    /// Answers at once: newest values lie in memory.
    private static func latest(
        _ path: String, _ summary: String, _ values: @escaping @Sendable (Request) async throws -> NewestValues
    ) -> Endpoint {
        Endpoint(
            .get, path, summary, tag: "readings", access: .permission("reading", "read"),
            answers: Page<LatestValue>.self
        ) { request in
            await LatestAnswer.response(try await values(request))
        }
        .answeringQuickly { request in await LatestAnswer.response(try await values(request)) }
        .answeringUntagged()
    }

    private static func chart(_ query: QueryService) -> Endpoint {
        .get(
            "/api/devices/{device}/chart", "Minimum, average and maximum over windows.", tag: "readings",
            access: .permission("reading", "read"),
            parameters: [
                .init("metric", "May come more than once; all when absent."), .init("from", "RFC 3339; a day ago."),
                .init("to", "RFC 3339; now."), .init("step", "The width of a window in seconds; chosen when absent."),
                .init("points", "At most so many windows when the step is chosen; 300 when absent."),
            ], answers: Chart.self
        ) { request in
            let points = try request.queryValue("points", as: Int.self) ?? 300
            guard (1...5000).contains(points) else {
                throw ServiceError.invalid("points", "must be 1 to 5000", code: "request.query")
            }
            let now = query.now()
            return try await query.chart(
                ofDevice: request.pathValue("device"), metrics: request.queryValues("metric"),
                range: try range(of: request, default: TimeRange(now - .days(1), now)),
                step: try request.queryValue("step", as: Double.self).map(Span.init(seconds:)), points: points,
                in: request.principal.requiredScope())
        }
    }

    private static func range(of request: Request, default range: TimeRange) throws(ServiceError) -> TimeRange {
        let from = try request.queryValue("from", as: Timestamp.self) ?? range.start
        let to = try request.queryValue("to", as: Timestamp.self) ?? range.end
        guard from <= to else { throw .invalid("to", "must not be before from", code: "request.query") }
        return TimeRange(from, to)
    }
}
