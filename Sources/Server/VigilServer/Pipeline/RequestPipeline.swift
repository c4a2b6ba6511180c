import Foundation
import HTTPTypes
package import Logging
import Synchronization
package import VigilInterface
import VigilModel
package import VigilPorts
import VigilServices

/// The way of a request from its head to its answer, without a transport.
///
/// In this order: identifier, target, client, route, credential, permission, cross-site, rate, form of the body,
/// idempotency, handler, entity tag, header fields, log. Whatever fails becomes a problem (RFC 9457).
package final class RequestPipeline: Sendable {
    let table: EndpointTable
    let authenticator: Authenticator
    let limits: ServerLimits
    let proxies: TrustedProxies
    let rates: (any RateLimits)?
    let clock: any TimeSource
    let metrics: HTTPMetrics
    let logger: Logger
    let hooks: PipelineHooks
    let inFlight = InFlight()

    package init(
        table: EndpointTable, authenticator: Authenticator, limits: ServerLimits = ServerLimits(),
        proxies: TrustedProxies = .none, rates: (any RateLimits)?, clock: any TimeSource, metrics: HTTPMetrics,
        logger: Logger, hooks: PipelineHooks = PipelineHooks()
    ) {
        self.table = table
        self.authenticator = authenticator
        self.limits = limits
        self.proxies = proxies
        self.rates = rates
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        self.hooks = hooks
    }

    /// Answers one request; never throws.
    ///
    /// It and what it is made of stay on the caller's thread: each change of executor, even to the same one, costs more than
    /// the step that it leads to.
    nonisolated(nonsending) func respond(to incoming: IncomingRequest) async -> Response {
        let started = ContinuousClock.now
        var exchange = Exchange(incoming, proxies: proxies, clock: clock)
        var response: Response
        var failure: (any Error)?
        if inFlight.enter() > limits.requests {
            let error = ServiceError(
                .unavailable, "server.busy", "The server has as much to do as it takes.", retryAfter: .seconds(1))
            response = problem(error, exchange)
            failure = error
        } else {
            do {
                response = try await answer(&exchange)
            } catch {
                response = answer(to: error, exchange)
                failure = error
            }
        }
        inFlight.leave()
        notice(exchange, response, failure)
        finish(&response, exchange)
        metrics.record(exchange.endpoint, exchange.method, response.status, took: started.duration(to: .now))
        log(exchange, response.status, took: started.duration(to: .now))
        return response
    }

    private nonisolated(nonsending) func answer(_ exchange: inout Exchange) async throws -> Response {
        let target = try RequestTarget(exchange.incoming.head.path, limit: limits.targetBytes)
        exchange.path = target.path
        let (endpoint, pathValues) = try route(&exchange, target)
        guard let endpoint else { return allowed(exchange) }
        let credential = try CredentialReader.credential(
            in: exchange.headers, query: target.query, takesQuery: endpoint.takesQueryCredential,
            isSecure: exchange.isSecure)
        let principal = try await self.principal(credential, exchange)
        exchange.principalName = principal.name
        if endpoint.form == .page, endpoint.access != .open, principal.subject == .anonymous {
            return .redirect(to: "/login?next=\(Self.escaped(exchange.incoming.head.path ?? "/"))")
        }
        try endpoint.admit(principal)
        if exchange.incoming.facts.transport != .localSocket {
            try CrossSiteGuard.admit(
                exchange.method, exchange.headers, credential: credential, isSecure: exchange.isSecure)
        }
        try checkForm(of: endpoint, exchange.headers)
        try endpoint.checkQuery(target.query, of: principal)
        var request = Request(
            method: exchange.method, path: target.path, pathValues: pathValues, query: target.query,
            headers: exchange.headers, principal: principal, remoteAddress: exchange.address,
            isSecure: exchange.isSecure, id: exchange.id)
        if case .cookie(let cookie) = credential { request.csrfToken = SessionCookie.proof(of: cookie) }
        request.body = try body(of: exchange.incoming, endpoint, exchange.headers)
        if let quick = endpoint.quick, let response = try await quick(&request) { return response }
        let presence = exchange.incoming.presence
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { [request] in
            try await handled(endpoint, request, presence)
        }
    }

    private func handled(
        _ endpoint: Endpoint, _ request: Request, _ presence: ClientPresence
    ) async throws -> Response {
        let response = try await hooks.idempotency.run(endpoint, request) { request in
            // What changes something is done to its end: its sender may come back and ask for it.
            guard endpoint.onlyReads else { return try await endpoint.handler(request) }
            return try await presence.whileHere { try await endpoint.handler(request) }
        }
        return endpoint.hasTag ? EntityTag.applied(to: response, request) : response
    }

    private func route(_ exchange: inout Exchange, _ target: RequestTarget) throws(ServiceError)
        -> (Endpoint?, [String: String])
    {
        let method = exchange.method == .head ? .get : exchange.method
        switch exchange.incoming.match ?? table.match(method, target.path) {
        case .found(let endpoint, let values):
            exchange.endpoint = endpoint
            return (endpoint, values)
        case .otherMethods(let methods):
            exchange.allowedMethods = methods.contains(.get) ? methods + [.head, .options] : methods + [.options]
            if exchange.method == .options { return (nil, [:]) }
            throw ServiceError(.invalid, "request.method", "This address does not take that method.")
        case .nothing:
            guard let page = hooks.lostPage, method == .get, Self.isForBrowser(exchange.headers, target.path) else {
                throw .notFound("address")
            }
            exchange.endpoint = page
            return (page, [:])
        }
    }

    /// Whether a person looks at the answer: a program asks for no HTML.
    private static func isForBrowser(_ headers: HTTPFields, _ path: String) -> Bool {
        !path.hasPrefix("/api/") && (headers[.accept] ?? "").contains("text/html")
    }

    private nonisolated(nonsending) func principal(
        _ credential: Credential?, _ exchange: Exchange
    ) async throws -> Principal {
        if exchange.incoming.facts.transport == .localSocket { return .localSocket }
        guard let credential else {
            try await admit("address/\(exchange.address)", limits.anonymousRequestsPerSecond)
            return .anonymous
        }
        do {
            let principal = try await authenticator.principal(credential, exchange.address)
            try await admit(principal.subject.rateKey, limits.principalRequestsPerSecond)
            if let tenant = principal.tenant { try await admit("tenant/\(tenant)", limits.tenantRequestsPerSecond) }
            return principal
        } catch let error as ServiceError where error.kind == .unauthenticated {
            // Guessing counts like showing nothing.
            try await admit("address/\(exchange.address)", limits.anonymousRequestsPerSecond)
            // A browser keeps sending a cookie whose session has ended: to us it is somebody who is not signed in.
            guard credential.isCookie else { throw error }
            return .anonymous
        }
    }

    private nonisolated(nonsending) func admit(_ key: String, _ limit: Int) async throws {
        guard limit > 0, let rates else { return }
        let decision = try await rates.admit("http/\(key)", limit: limit, per: .seconds(1))
        guard decision.isAllowed else {
            throw ServiceError(
                .tooMany, "server.rate", "Too many requests at once.", retryAfter: max(.seconds(1), decision.retryAfter)
            )
        }
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension Principal.Subject {
    /// What its requests are counted by; written out, because printing an enumeration looks its parts up at every request.
    var rateKey: String {
        switch self {
        case .user(let user, let session): "principal/user/" + user.description + "/" + session.description
        case .token(let token, _): "principal/token/" + token.description
        case .device(let device, let token): "principal/device/" + device.description + "/" + token.description
        case .local: "principal/local"
        case .anonymous: "principal/anonymous"
        }
    }
}

extension Credential {
    var isCookie: Bool { if case .cookie = self { true } else { false } }
}

/// How many requests are being worked on.
final class InFlight: Sendable {
    private let number = Atomic<Int>(0)

    func enter() -> Int { number.add(1, ordering: .relaxed).newValue }
    func leave() { number.subtract(1, ordering: .relaxed) }
    var count: Int { number.load(ordering: .relaxed) }
}
