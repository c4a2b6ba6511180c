import HTTPTypes
import Logging
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

extension RequestPipeline {
    /// The answer to whatever was thrown.
    func answer(to error: any Error, _ exchange: Exchange) -> Response {
        switch error {
        case let error as ServiceError: return problem(error, exchange)
        case let error as StoreError:
            if let known = ServiceError(error) { return problem(known, exchange) }
            return fault(exchange, "\(error)")
        case let error as UnsupportedMedia:
            var response = problem(
                ServiceError(.invalid, "request.media_type", error.detail), exchange, status: .unsupportedMediaType)
            response.headers[.acceptEncoding] = error.accept
            return response
        case is ConnectionGuard.SlowBody:
            return problem(
                ServiceError(.invalid, "request.slow", "The body came too slowly."), exchange, status: .requestTimeout)
        case is InboundReader.ConnectionEnded, is CancellationError:
            return problem(
                ServiceError(.unavailable, "request.ended", "The request ended before its answer."), exchange)
        default: return fault(exchange, "BUG: \(type(of: error))")
        }
    }

    func problem(_ error: ServiceError, _ exchange: Exchange, status: HTTPResponse.Status? = nil) -> Response {
        var problem = Problem(error, instance: exchange.id)
        var status = status ?? Problem.status(of: error.kind)
        if error.code == "request.method" { status = .methodNotAllowed }
        if error.code == "request.target_length" { status = .uriTooLong }
        problem.status = status.code
        problem.title = status.reasonPhrase
        var response = self.response(of: problem, error, status, exchange)
        if let wait = error.retryAfter, response.headers[.retryAfter] == nil {
            response.headers[.retryAfter] = "\(max(1, Int(wait.seconds.rounded(.up))))"
        }
        return response
    }

    /// The problem in the form of its endpoint.
    private func response(
        of problem: Problem, _ error: ServiceError, _ status: HTTPResponse.Status, _ exchange: Exchange
    ) -> Response {
        if let own = exchange.endpoint?.refusal { return own(error) }
        if exchange.endpoint?.form == .page, let page = hooks.errorPage(problem) { return page }
        var response = (try? Response.json(problem, status: status)) ?? Response(status: status)
        response.headers[.contentType] = "application/problem+json"
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if status == .methodNotAllowed { response.headers[.allow] = allowText(exchange) }
        return response
    }

    /// The answer to OPTIONS.
    func allowed(_ exchange: Exchange) -> Response {
        Response(status: .noContent, headers: [.allow: allowText(exchange)])
    }

    private func allowText(_ exchange: Exchange) -> String {
        Set(exchange.allowedMethods.map(\.rawValue)).sorted().joined(separator: ", ")
    }

    private func fault(_ exchange: Exchange, _ reason: String) -> Response {
        logger.error(
            "a request failed",
            metadata: ["request": "\(exchange.id)", "path": "\(exchange.path)", "error": "\(reason)"])
        return problem(
            ServiceError(.unavailable, "server.fault", "The server failed. The log has the reason."), exchange,
            status: .internalServerError)
    }

    /// The fields that every answer has.
    func finish(_ response: inout Response, _ exchange: Exchange) {
        response.headers[.requestID] = exchange.id
        response.headers[.date] = HTTPDate.text(clock.now())
        SecurityHeaders.add(
            to: &response.headers, form: exchange.endpoint?.form ?? .api, isSecure: exchange.isSecure,
            pictures: hooks.pictures)
    }

    /// One line per request, without its query: `p=` is a secret.
    func log(_ exchange: Exchange, _ status: HTTPResponse.Status, took: Duration) {
        logger.debug(
            "request",
            metadata: [
                "request": "\(exchange.id)", "method": "\(exchange.method.rawValue)", "path": "\(exchange.path)",
                "status": "\(status.code)", "address": "\(exchange.address)", "who": "\(exchange.principalName)",
                "milliseconds":
                    "\(took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000)",
            ])
    }
}
