import HTTPTypes
import VigilModel
package import VigilServices

/// Where InfluxDB's clients write: line protocol of versions 1 and 2, with the answers they expect.
package enum WriteRoutes {
    package static let bodyLimit = 64 << 20

    package static func all(_ ingest: IngestService) -> [Endpoint] {
        [
            Endpoint(
                .post, "/write", "Writes line protocol, as InfluxDB 1 takes it.", tag: "readings",
                access: .permission("reading", "write"),
                parameters: [
                    .init("db", "A database's name; taken, and not used: the token says whose readings these are."),
                    .init("precision", "n, u, ms, s, m or h; nanoseconds when absent."),
                ],
                bodyMediaType: "text/plain", status: .noContent, bodyLimit: bodyLimit
            ) { request in
                try await version1(request, ingest)
            }.takingQueryCredential(),
            Endpoint(
                .post, "/api/v2/write", "Writes line protocol, as InfluxDB 2 takes it.", tag: "readings",
                access: .permission("reading", "write"),
                parameters: [
                    .init("org", "Taken, and not used."), .init("bucket", "Taken, and not used."),
                    .init("precision", "ns, us, ms or s; nanoseconds when absent."),
                ],
                bodyMediaType: "text/plain", status: .noContent, bodyLimit: bodyLimit
            ) { request in
                try await version2(request, ingest)
            },
            ping(.get), ping(.head),
        ]
    }

    private static func ping(_ method: HTTPRequest.Method) -> Endpoint {
        Endpoint(
            method, "/ping", "Tells InfluxDB's clients that somebody is here.", tag: "readings", access: .open,
            status: .noContent
        ) { _ in
            var headers: HTTPFields = [:]
            if let name = HTTPField.Name("X-Influxdb-Version") { headers[name] = "2.7.0-vigil" }
            return Response(status: .noContent, headers: headers)
        }
    }

    /// 204 when all lines are kept, otherwise 400 with InfluxDB's `{"error": …}`.
    private static func version1(_ request: Request, _ ingest: IngestService) async throws -> Response {
        struct Failure: Encodable { var error: String }
        do {
            let receipt = try await receive(request, ingest)
            guard let text = complaint(receipt) else { return .noContent }
            return try .json(Failure(error: text), status: .badRequest)
        } catch let error as ServiceError {
            var response = try Response.json(Failure(error: error.message), status: Problem.status(of: error.kind))
            retry(error, &response)
            return response
        }
    }

    /// 204 when all lines are kept, otherwise `{"code": …, "message": …}`.
    private static func version2(_ request: Request, _ ingest: IngestService) async throws -> Response {
        struct Failure: Encodable {
            var code: String
            var message: String
        }
        do {
            let receipt = try await receive(request, ingest)
            guard let text = complaint(receipt) else { return .noContent }
            return try .json(Failure(code: "invalid", message: text), status: .badRequest)
        } catch let error as ServiceError {
            let code =
                switch error.kind {
                case .invalid, .conflict, .stale: "invalid"
                case .unauthenticated: "unauthorized"
                case .forbidden: "forbidden"
                case .notFound: "not found"
                case .tooLarge: "request too large"
                case .tooMany: "too many requests"
                case .unavailable: "unavailable"
                }
            var response = try Response.json(
                Failure(code: code, message: error.message), status: Problem.status(of: error.kind))
            retry(error, &response)
            return response
        }
    }

    private static func receive(_ request: Request, _ ingest: IngestService) async throws -> LineReceipt {
        try await ingest.receiveLines(
            request.body.pieces, precision: request.queryValue("precision"), by: request.principal)
    }

    private static func complaint(_ receipt: LineReceipt) -> String? {
        guard receipt.refusedLines > 0 || receipt.receipt.refused > 0 else { return nil }
        let reasons = receipt.refusals.prefix(10).map { refusal in
            refusal.line > 0 ? "line \(refusal.line): \(refusal.reason)" : refusal.reason
        }
        return "partial write: \(receipt.receipt.accepted) values kept, \(receipt.receipt.refused) lines refused: "
            + reasons.joined(separator: "; ")
    }

    private static func retry(_ error: ServiceError, _ response: inout Response) {
        guard let wait = error.retryAfter else { return }
        response.headers[.retryAfter] = String(max(1, Int(wait.seconds.rounded(.up))))
    }
}
