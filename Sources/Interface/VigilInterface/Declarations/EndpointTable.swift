import Foundation
package import HTTPTypes
package import VigilServices

/// All endpoints, found by method and path.
///
/// The server answers from it, the command line calls through it where no server runs, and pages read the API with it.
package struct EndpointTable: Sendable {
    /// What a path leads to.
    package enum Match: Sendable {
        case found(Endpoint, pathValues: [String: String])
        /// The path is there, but not for this method; the methods that are.
        case otherMethods([HTTPRequest.Method])
        case nothing
    }

    package let endpoints: [Endpoint]
    /// By number of segments, literal segments first, so that `/api/devices/latest` wins over `/api/devices/{device}`.
    private let routes: [Int: [Route]]
    /// By path, where no segment is a parameter: most requests go there.
    private let literal: [String: [Endpoint]]

    package init(_ endpoints: [Endpoint]) {
        self.endpoints = endpoints
        routes = Dictionary(grouping: endpoints.map(Route.init)) { $0.segmentCount }
            .mapValues { $0.sorted { $0.literalCount > $1.literalCount } }
        literal = Dictionary(grouping: endpoints.filter { !$0.path.contains("{") }, by: \.path)
    }

    /// Finds the endpoint of a percent-encoded path without query.
    package func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        if let endpoint = literal[path]?.first(where: { $0.method == method }) {
            return .found(endpoint, pathValues: [:])
        }
        var path = path
        return path.withUTF8 { bytes in
            let segments = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
            var others: [HTTPRequest.Method] = []
            for route in routes[segments.count] ?? [] where route.fits(segments) {
                guard let values = route.values(of: segments) else { continue }
                if route.endpoint.method == method { return .found(route.endpoint, pathValues: values) }
                others.append(route.endpoint.method)
            }
            return others.isEmpty ? .nothing : .otherMethods(others)
        }
    }

    /// Answers a request whose principal is set: finds the endpoint, checks that the principal may call it, and calls.
    ///
    /// - Throws: `notFound`, `unauthenticated`, `forbidden`, and what the handler throws.
    package func respond(to request: Request) async throws -> Response {
        guard case .found(let endpoint, let values) = match(request.method, request.path) else {
            throw ServiceError.notFound("address")
        }
        try endpoint.admit(request.principal)
        try endpoint.checkQuery(request.query, of: request.principal)
        var request = request
        request.pathValues = values
        return try await endpoint.handler(request)
    }

    private struct Route: Sendable {
        let endpoint: Endpoint
        private let literals: [(place: Int, bytes: [UInt8])]
        private let parameters: [(place: Int, name: String)]

        init(_ endpoint: Endpoint) {
            self.endpoint = endpoint
            let segments = endpoint.path.split(separator: "/", omittingEmptySubsequences: true).enumerated()
            literals = segments.filter { !$1.hasPrefix("{") }.map { ($0, Array($1.utf8)) }
            parameters = segments.filter { $1.hasPrefix("{") }.map { ($0, String($1.dropFirst().dropLast())) }
        }

        var segmentCount: Int { literals.count + parameters.count }
        var literalCount: Int { literals.count }

        /// Whether all that is not a parameter is the same; `path` has as many segments.
        func fits(_ path: [Slice<UnsafeBufferPointer<UInt8>>]) -> Bool {
            // From behind: nearly all begin in the same way.
            for (place, bytes) in literals.reversed() {
                let part = path[place]
                guard part.count == bytes.count, part.elementsEqual(bytes) else { return false }
            }
            return true
        }

        func values(of path: [Slice<UnsafeBufferPointer<UInt8>>]) -> [String: String]? {
            var values: [String: String] = [:]
            for (place, name) in parameters {
                let text = String(decoding: path[place], as: UTF8.self)
                let value = path[place].contains(UInt8(ascii: "%")) ? text.removingPercentEncoding : text
                guard let value, !value.isEmpty else { return nil }
                values[name] = value
            }
            return values
        }
    }
}

extension Endpoint {
    /// - Throws: `unauthenticated` or `forbidden` when `principal` may not call this.
    package func admit(_ principal: Principal) throws(ServiceError) {
        switch access {
        case .open: return
        case .local:
            guard principal.subject == .local else { throw .notFound("address") }
        case .signedIn:
            guard principal.subject != .anonymous else { throw Self.signInFirst }
        case .permission(let needed):
            guard principal.subject != .anonymous else { throw Self.signInFirst }
            guard principal.may(needed) else {
                throw ServiceError(.forbidden, "auth.forbidden", "This needs the permission \(needed).")
            }
        }
    }

    private static var signInFirst: ServiceError {
        ServiceError(.unauthenticated, "auth.required", "Sign in, or send a token.")
    }
}
