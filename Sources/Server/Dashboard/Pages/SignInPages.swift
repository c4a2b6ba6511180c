import Foundation
import HTTPTypes
import VigilInterface
import VigilModel
import VigilServices

/// Signing in and out, as forms that work without scripts.
enum SignInPages {
    static func endpoints(_ renderer: PageRenderer) -> [Endpoint] {
        [
            Endpoint(.get, "/login", "The page to sign in.", tag: "pages", access: .open, form: .page) { request in
                guard request.principal.subject == .anonymous else {
                    return .redirect(to: next(request.queryValue("next")))
                }
                return page(renderer, request, fault: nil, next: request.queryValue("next"))
            },
            Endpoint(
                .post, "/login", "Signs in.", tag: "pages", access: .open, form: .page,
                bodyMediaType: "application/x-www-form-urlencoded", bodyLimit: 16 << 10
            ) { request in
                try await signIn(renderer, request)
            },
            Endpoint(.post, "/logout", "Signs out.", tag: "pages", access: .open, form: .page) { request in
                var inner = request
                inner.path = "/api/auth/logout"
                inner.body = .empty
                let answer = try await renderer.api.respond(to: inner)
                var response = Response.redirect(to: "/login")
                response.headers[values: .setCookie] = answer.headers[values: .setCookie]
                return response
            },
        ]
    }

    /// Passes the form to the API's sign-in, and its cookies to the browser.
    private static func signIn(_ renderer: PageRenderer, _ request: Request) async throws -> Response {
        let bytes = try await request.body.collected(limit: 16 << 10)
        let fields = Dictionary(
            QueryText.items(String(decoding: bytes, as: UTF8.self)).map { ($0.name, $0.value) },
            uniquingKeysWith: { $1 })
        var body: [String: JSONValue] = [
            "username": .string(fields["username"] ?? ""), "password": .string(fields["password"] ?? ""),
        ]
        body["kind"] = .string("browser")
        if let panel = PanelCookie.value(in: request.headers, isSecure: request.isSecure) {
            body["panel"] = .string(panel)
        }
        if let tenant = fields["tenant"], !tenant.isEmpty { body["tenant"] = .string(tenant) }
        var inner = request
        inner.path = "/api/auth/login"
        inner.headers = [.contentType: "application/json"]
        inner.headers[.userAgent] = request.headers[.userAgent]
        inner.body = RequestBody(bytes: Array(JSONValue.object(body).canonicalText.utf8))
        do {
            let answer = try await renderer.api.respond(to: inner)
            var response = Response.redirect(to: next(fields["next"]))
            response.headers[values: .setCookie] = answer.headers[values: .setCookie]
            return response
        } catch let error as ServiceError {
            return page(renderer, request, fault: error, next: fields["next"], username: fields["username"])
        }
    }

    private static func page(
        _ renderer: PageRenderer, _ request: Request, fault: ServiceError?, next: String?, username: String? = nil
    ) -> Response {
        let values: [String: JSONValue] = [
            "fault": fault.map { .string($0.message) } ?? .null, "next": .string(self.next(next)),
            "username": .string(username ?? ""),
            "panel": .bool(PanelCookie.value(in: request.headers, isSecure: request.isSecure) != nil),
        ]
        return renderer.page(
            "login", title: "Sign in", values: values, request: request,
            status: fault.map { Problem.status(of: $0.kind) } ?? .ok)
    }

    /// Where to go after signing in: only a path of this server, so that a link cannot lead people elsewhere.
    private static func next(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), !text.hasPrefix("/\\"), !text.contains("\n") else {
            return "/"
        }
        return text
    }
}
