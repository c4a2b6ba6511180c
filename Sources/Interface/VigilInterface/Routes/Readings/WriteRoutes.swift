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
                try await take(request, ingest)
            }.takingQueryCredential().takingAnyQuery().refusing(refusal1),
            Endpoint(
                .post, "/api/v2/write", "Writes line protocol, as InfluxDB 2 takes it.", tag: "readings",
                access: .permission("reading", "write"),
                parameters: [
                    .init("org", "Taken, and not used."), .init("bucket", "Taken, and not used."),
                    .init("precision", "ns, us, ms or s; nanoseconds when absent."),
                ],
                bodyMediaType: "text/plain", status: .noContent, bodyLimit: bodyLimit
            ) { request in
                try await take(request, ingest)
            }.takingAnyQuery().refusing(refusal2),
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
        }.takingAnyQuery()
    }

    /// 204 when all lines are kept, otherwise 400; refusals are InfluxDB's `{"error": …}`.
    private static func refusal1(_ error: ServiceError) -> Response {
        struct Failure: Encodable { var error: String }
        return answer(Failure(error: error.message), error)
    }

    /// The same as `{"code": …, "message": …}`.
    private static func refusal2(_ error: ServiceError) -> Response {
        struct Failure: Encodable {
            var code: String
            var message: String
        }
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
        return answer(Failure(code: code, message: error.message), error)
    }

    private static func answer(_ failure: some Encodable, _ error: ServiceError) -> Response {
        let status = Problem.status(of: error.kind)
        var response = (try? Response.json(failure, status: status)) ?? Response(status: status)
        if error.kind == .unauthenticated { response.headers[.wwwAuthenticate] = "Token" }
        if let wait = error.retryAfter {
            response.headers[.retryAfter] = String(max(1, Int(wait.seconds.rounded(.up))))
        }
        return response
    }

    private static func take(_ request: Request, _ ingest: IngestService) async throws -> Response {
        let receipt = try await receive(request, ingest)
        guard let text = complaint(receipt) else { return .noContent }
        throw ServiceError(.invalid, "ingest.refused", text)
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
        func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
        return "partial write: \(counted(receipt.receipt.accepted, "value")) kept, "
            + "\(counted(receipt.receipt.refused, "line")) refused: " + reasons.joined(separator: "; ")
    }
}
