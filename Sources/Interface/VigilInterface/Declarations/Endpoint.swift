import Foundation
package import HTTPTypes
package import VigilModel
package import VigilServices

/// One operation of the HTTP interface: everything that the server, the API description and the tests need to know.
///
/// ```swift
/// Endpoint.get("/api/sites/{site}", "A site.", tag: "places", access: .permission("site", "read"),
///     answers: SiteView.self) { request in
///     try await services.registry.site(request.pathValue("site"), in: request.principal.requiredScope())
/// }
/// ```
package struct Endpoint: Sendable {
    /// Who may call.
    package enum Access: Sendable, Hashable {
        /// Anybody: sign-in, health.
        case open
        /// Anybody who is signed in, whatever their role.
        case signedIn
        /// Who holds the permission in their tenant.
        case permission(Permission)
        /// Only the command line on this machine, through the socket in the data folder.
        case local

        package static func permission(_ resource: String, _ action: String) -> Access {
            .permission(Permission(resource, action))
        }
    }

    /// An item of the query.
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let meaning: String
        package let isRequired: Bool

        package init(_ name: String, _ meaning: String, required: Bool = false) {
            self.name = name
            self.meaning = meaning
            isRequired = required
        }
    }

    /// What the operation is about, for the API description.
    package enum Form: Sendable {
        /// A part of the API: described in `/openapi.json`.
        case api
        /// HTML for people: not described; a caller who is not signed in is sent to `/login`.
        case page
    }

    package var method: HTTPRequest.Method { kept.parts.method }
    /// A path with parameters in braces: `/api/devices/{device}/readings`.
    package var path: String { kept.parts.path }
    package var summary: String { kept.parts.summary }
    package var tag: String { kept.parts.tag }
    package var access: Access { kept.parts.access }
    package var form: Form { kept.parts.form }
    package var parameters: [Parameter] { kept.parts.parameters }
    /// The type of a JSON body.
    package var body: (any (Codable & SendableMetatype).Type)? { kept.parts.body }
    /// The media type of a body that is not JSON.
    package var bodyMediaType: String? { kept.parts.bodyMediaType }
    package var answer: (any (Codable & SendableMetatype).Type)? { kept.parts.answer }
    package var successStatus: HTTPResponse.Status { kept.parts.successStatus }
    /// Bytes; a larger body is 413.
    package var bodyLimit: Int { kept.parts.bodyLimit }
    package var handler: @Sendable (Request) async throws -> Response { kept.parts.handler }
    /// Whether the answer holds a new secret: it is kept nowhere, also not for an Idempotency-Key.
    package var answersSecret: Bool { kept.parts.answersSecret }
    /// Whether the query items `u` and `p` sign in, as InfluxDB 1 has it.
    ///
    /// Addresses end up in logs and histories, so nowhere else.
    package var takesQueryCredential: Bool { kept.parts.takesQueryCredential }
    /// Whether query parameters that it does not know are passed over; otherwise they are refused.
    package var takesAnyQuery: Bool { kept.parts.takesAnyQuery }
    /// Answers where the connection is served what needs neither a disk nor much time; `nil` where the handler has to.
    package var quick: (@Sendable (inout Request) async throws -> Response?)? { kept.parts.quick }
    /// Whether an answer that has no version gets a tag made of its bytes.
    package var hasTag: Bool { kept.parts.hasTag }
    /// How a refusal looks where a convention that is not ours says it; `nil`: a problem (RFC 9457).
    package var refusal: (@Sendable (ServiceError) -> Response)? { kept.parts.refusal }
    /// The JSON Schema of a body that has no type.
    package var bodySchema: JSONValue? { kept.parts.bodySchema }

    struct Parts: Sendable {
        let method: HTTPRequest.Method
        let path: String
        let summary: String
        let tag: String
        let access: Access
        let form: Form
        let parameters: [Parameter]
        let body: (any (Codable & SendableMetatype).Type)?
        let bodyMediaType: String?
        let answer: (any (Codable & SendableMetatype).Type)?
        let successStatus: HTTPResponse.Status
        let bodyLimit: Int
        var handler: @Sendable (Request) async throws -> Response
        var answersSecret: Bool = false
        var takesQueryCredential: Bool = false
        var takesAnyQuery: Bool = false
        var quick: (@Sendable (inout Request) async throws -> Response?)?
        var hasTag: Bool = true
        var refusal: (@Sendable (ServiceError) -> Response)?
        var bodySchema: JSONValue?
    }

    /// One object, because each request takes its endpoint through many hands.
    private final class Kept: Sendable {
        let parts: Parts

        init(_ parts: Parts) { self.parts = parts }
    }

    private let kept: Kept

    private init(_ parts: Parts) { kept = Kept(parts) }

    /// The same endpoint but for what `change` makes of it.
    func changed(_ change: (inout Parts) -> Void) -> Endpoint {
        var parts = kept.parts
        change(&parts)
        return Endpoint(parts)
    }

    /// The largest JSON body where an endpoint says nothing else.
    package static let defaultBodyLimit = 1 << 20

    package init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, tag: String, access: Access,
        form: Form = .api, parameters: [Parameter] = [], body: (any (Codable & SendableMetatype).Type)? = nil,
        bodyMediaType: String? = nil, answers answer: (any (Codable & SendableMetatype).Type)? = nil,
        status: HTTPResponse.Status = .ok, bodyLimit: Int = Endpoint.defaultBodyLimit,
        handler: @escaping @Sendable (Request) async throws -> Response
    ) {
        self.init(
            Parts(
                method: method, path: path, summary: summary, tag: tag, access: access, form: form,
                parameters: parameters, body: body, bodyMediaType: bodyMediaType, answer: answer,
                successStatus: status, bodyLimit: bodyLimit, handler: handler))
    }
}

extension Endpoint {
    /// Whether it changes nothing, so that it may be left at any moment.
    package var onlyReads: Bool {
        if method == .get { return true }
        if case .permission(let permission) = access { return permission.action == "read" }
        return false
    }

    /// The same endpoint, for which requests are made ready by `prepare`.
    package func preparing(_ prepare: @escaping @Sendable (Request) async throws -> Request) -> Endpoint {
        let handler = handler
        let copy = changed { $0.handler = { try await handler(try await prepare($0)) } }
        guard let quick else { return copy }
        return copy.answeringQuickly { request in
            request = try await prepare(request)
            return try await quick(&request)
        }
    }

    /// The same endpoint, whose answer holds a new secret.
    package func answeringSecret() -> Endpoint {
        changed { $0.answersSecret = true }
    }

    /// The same endpoint, whose refusals have another form than a problem.
    package func refusing(_ refusal: @escaping @Sendable (ServiceError) -> Response) -> Endpoint {
        changed { $0.refusal = refusal }
    }

    /// The same endpoint, whose body is described by a schema.
    package func describingBody(_ schema: JSONValue) -> Endpoint {
        changed { $0.bodySchema = schema }
    }

    /// The same endpoint, which answers some requests without changing threads: see ``quick``.
    package func answeringQuickly(
        _ quick: @escaping @Sendable (inout Request) async throws -> Response?
    ) -> Endpoint {
        changed { $0.quick = quick }
    }

    /// The same endpoint, whose answers differ from one moment to the next: nobody asks whether they are still the same.
    package func answeringUntagged() -> Endpoint {
        changed { $0.hasTag = false }
    }

    /// The same endpoint, where the query may sign in.
    package func takingQueryCredential() -> Endpoint {
        changed { $0.takesQueryCredential = true }
    }
}

// MARK: - The usual forms

extension Endpoint {
    /// Reads something and answers it as JSON.
    package static func get<Answer: Codable & Sendable>(
        _ path: String, _ summary: String, tag: String, access: Access, parameters: [Parameter] = [],
        answers: Answer.Type, handler: @escaping @Sendable (Request) async throws -> Answer
    ) -> Endpoint {
        Endpoint(.get, path, summary, tag: tag, access: access, parameters: parameters, answers: answers) { request in
            try versioned(try await handler(request), status: .ok)
        }
    }

    /// Takes a JSON body and answers JSON: `POST`, `PUT`, `PATCH`.
    package static func send<Body: Codable & Sendable, Answer: Codable & Sendable>(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, tag: String, access: Access,
        parameters: [Parameter] = [], body: Body.Type, answers: Answer.Type, status: HTTPResponse.Status = .ok,
        bodyLimit: Int = Endpoint.defaultBodyLimit,
        handler: @escaping @Sendable (Request, Body) async throws -> Answer
    ) -> Endpoint {
        Endpoint(
            method, path, summary, tag: tag, access: access, parameters: parameters, body: body, answers: answers,
            status: status, bodyLimit: bodyLimit
        ) { request in
            let value = try JSONBody.decode(body, from: try await request.body.collected(limit: bodyLimit))
            return try versioned(try await handler(request, value), status: status)
        }
    }

    /// Does something without a body and answers JSON.
    package static func perform<Answer: Codable & Sendable>(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, tag: String, access: Access,
        parameters: [Parameter] = [], answers: Answer.Type, status: HTTPResponse.Status = .ok,
        handler: @escaping @Sendable (Request) async throws -> Answer
    ) -> Endpoint {
        Endpoint(
            method, path, summary, tag: tag, access: access, parameters: parameters, answers: answers, status: status
        ) { request in
            try versioned(try await handler(request), status: status)
        }
    }

    /// Does something and answers nothing (204): `DELETE`, mostly.
    package static func silent(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, tag: String, access: Access,
        parameters: [Parameter] = [], handler: @escaping @Sendable (Request) async throws -> Void
    ) -> Endpoint {
        Endpoint(
            method, path, summary, tag: tag, access: access, parameters: parameters, status: .noContent
        ) { request in
            try await handler(request)
            return .noContent
        }
    }

    static func versioned(_ answer: some Encodable, status: HTTPResponse.Status) throws -> Response {
        try .json(answer, status: status, version: (answer as? any Versioned)?.version)
    }
}

/// A view of something that has a version: its answers carry it as ETag, and changes may demand it by `If-Match`.
package protocol Versioned {
    var version: Int { get }
}
