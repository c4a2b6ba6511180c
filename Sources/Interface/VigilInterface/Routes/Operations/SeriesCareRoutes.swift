import HTTPTypes
import PromQLEvaluation
import VigilModel
import VigilPorts
package import VigilServices

/// The series store, for `vigil series`.
package enum SeriesCareRoutes {
    package static func all(_ care: SeriesCareService) -> [Endpoint] {
        [
            .get(
                "/api/local/series/statistics", "What the series store holds, and which labels make how many series.",
                tag: "operations", access: .local,
                parameters: [.init("top", "How many labels, and values of each; 10 when absent.")],
                answers: SeriesCareService.Statistics.self
            ) { request in
                let top = try request.queryValue("top", as: Int.self) ?? 10
                guard (1...1000).contains(top) else { throw ServiceError.invalid("top", "must be 1 to 1000") }
                return try await care.statistics(top: top, in: request.principal.requiredScope())
            },
            .perform(
                .post, "/api/local/series/verify", "Reads every checksum of the series store.", tag: "operations",
                access: .local, answers: SeriesVerification.self
            ) { _ in
                try await care.verify()
            },
            .perform(
                .post, "/api/local/series/compact", "Gives the space of what was removed back to the disk.",
                tag: "operations", access: .local, answers: SeriesCareService.Compaction.self
            ) { _ in
                try await care.compact()
            },
            .perform(
                .post, "/api/local/series/delete", "Removes readings of the series that a selector names.",
                tag: "operations", access: .local,
                parameters: selecting + [.init("dryRun", "true only counts them.")],
                answers: SeriesCareService.Removal.self
            ) { request in
                try await care.delete(
                    try selection(request), isDryRun: request.queryValue("dryRun") == "true", by: request.principal)
            },
            .perform(
                .post, "/api/local/series/delete-all", "Removes every reading of the tenant.", tag: "operations",
                access: .local,
                parameters: [
                    .init("confirm", "The tenant's code, typed once more; not needed to count."),
                    .init("dryRun", "true only counts them."),
                ], answers: SeriesCareService.Removal.self
            ) { request in
                try await care.deleteAll(
                    confirmation: request.queryValue("confirm"), isDryRun: request.queryValue("dryRun") == "true",
                    by: request.principal)
            },
            Endpoint(
                .get, "/api/local/series/export", "Readings as text: CSV, JSON lines or line protocol.",
                tag: "operations", access: .local,
                parameters: selecting + [.init("form", "csv, jsonl or line; csv when absent.")]
            ) { request in
                guard let form = SeriesExport.Form(rawValue: request.queryValue("form") ?? "csv") else {
                    throw ServiceError.invalid("form", "must be csv, jsonl or line", code: "request.query")
                }
                let export = SeriesExport(form)
                let pieces = try await care.export(
                    try selection(request), as: export, in: request.principal.requiredScope())
                return Response(headers: [.contentType: export.mediaType], body: .stream(pieces))
            },
        ]
    }

    private static let selecting: [Endpoint.Parameter] = [
        .init("match", "A series selector, as PromQL writes it.", required: true), .init("from", "RFC 3339."),
        .init("to", "RFC 3339, not included."),
    ]

    private static func selection(_ request: Request) throws -> SeriesSelection {
        guard let text = request.queryValue("match") else {
            throw ServiceError.invalid("match", "must name some series", code: "request.query")
        }
        let matchers: [LabelMatcher]
        do throws(QueryError) {
            matchers = try QueryParameters.matchers(text)
        } catch {
            throw ServiceError.invalid(
                "match", "is not a series selector: \(error.message)", code: "request.query")
        }
        return SeriesSelection(
            matchers,
            range: TimeRange(
                try request.queryValue("from", as: Timestamp.self) ?? .distantPast,
                try request.queryValue("to", as: Timestamp.self) ?? Timestamp(microseconds: .max)))
    }
}
