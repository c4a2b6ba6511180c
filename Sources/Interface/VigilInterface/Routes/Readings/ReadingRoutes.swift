import HTTPTypes
import VigilModel
package import VigilServices

/// Readings in JSON and CSV.
package enum ReadingRoutes {
    package static let bodyLimit = 16 << 20
    package static let importLimit = 1 << 30

    package static func all(_ ingest: IngestService) -> [Endpoint] {
        [
            take(
                "/api/devices/{device}/readings",
                "Takes readings of a device: one object, a list, or {\"readings\": […]}."
            ) {
                request, body in
                try await ingest.receiveJSON(body, device: request.pathValue("device"), by: request.principal)
            }.describingBody(ReadingForm.readings(naming: false)),
            take("/api/readings", "Takes readings of many devices, each naming its own.") { request, body in
                try await ingest.receiveJSON(body, device: nil, by: request.principal)
            }.describingBody(ReadingForm.readings(naming: true)),
            take("/api/ingest", "Takes {site_id, timestamp, readings: [{sensor_type, value}]}.") { request, body in
                try await ingest.receiveSteam(body, by: request.principal)
            }.describingBody(ReadingForm.steam),
            importCSV(ingest),
        ]
    }

    private static func take(
        _ path: String, _ summary: String,
        handler: @escaping @Sendable (Request, [UInt8]) async throws -> IngestReceipt
    ) -> Endpoint {
        Endpoint(
            .post, path, summary, tag: "readings", access: .permission("reading", "write"),
            bodyMediaType: "application/json", answers: IngestReceipt.self, status: .created, bodyLimit: bodyLimit
        ) { request in
            let body = try await request.body.collected(limit: bodyLimit)
            return try .json(try await handler(request, body), status: .created)
        }
    }

    private static func importCSV(_ ingest: IngestService) -> Endpoint {
        Endpoint(
            .post, "/api/import/csv", "Imports a CSV file of one metric of one device.", tag: "readings",
            access: .permission("reading", "write"),
            parameters: [
                .init("device", "UUID, code or name; an unknown one is discovered.", required: true),
                .init("metric", "The metric's name.", required: true),
                .init("unit", "The unit of the values."),
                .init("timeColumn", "The name of the column with times; timestamp when absent."),
                .init("valueColumn", "The name of the column with values; value when absent."),
                .init("timeZone", "The zone of times without an offset; UTC when absent."),
                .init("evaluate", "true: rules judge the imported range too."),
            ],
            bodyMediaType: "text/csv", answers: ImportReceipt.self, bodyLimit: importLimit
        ) { request in
            guard let device = request.queryValue("device") else { throw ServiceError.invalid("device", "is missing") }
            guard let metric = request.queryValue("metric") else { throw ServiceError.invalid("metric", "is missing") }
            var plan = CSVImport(device: device, metric: metric)
            plan.unit = request.queryValue("unit")
            plan.timeColumn = request.queryValue("timeColumn") ?? plan.timeColumn
            plan.valueColumn = request.queryValue("valueColumn") ?? plan.valueColumn
            plan.timeZone = request.queryValue("timeZone")
            plan.evaluate = try request.queryValue("evaluate", as: Bool.self) ?? false
            return try .json(try await ingest.importCSV(request.body.pieces, plan, by: request.principal))
        }
    }
}
