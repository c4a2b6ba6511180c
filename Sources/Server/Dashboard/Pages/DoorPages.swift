import HTTPTypes
import VigilInterface
import VigilModel
import VigilServices

/// The pages before the sign-in: a forgotten password, a new one, an invitation, a device that becomes a panel.
///
/// They are forms that work without scripts and call the API as any client does.
enum DoorPages {
    /// What one of the pages asks, and of which operation of the API.
    private struct Door: Sendable {
        var path: String
        var title: String
        var asks: [String]
        var button: String
        var call: String
        var said: String
    }

    private static let doors = [
        Door(
            path: "/forgot", title: "Password forgotten", asks: ["username"], button: "Send a link",
            call: "/api/auth/password-reset",
            said: "If there is such an account with an e-mail address, a link is on its way. It works for an hour."),
        Door(
            path: "/reset", title: "A new password", asks: ["password"], button: "Set the password",
            call: "/api/auth/password-reset/confirm", said: "The password is set. Sign in with it."),
        Door(
            path: "/join", title: "Join", asks: ["username", "password"], button: "Join",
            call: "/api/invitations/accept", said: "You have joined. Sign in, or go to the overview."),
        Door(
            path: "/panel", title: "Make this device a panel", asks: ["code"], button: "Enrol",
            call: "/api/panels/enrol", said: "This device is a panel now. Sign in with a PIN."),
    ]

    static func endpoints(_ renderer: PageRenderer) -> [Endpoint] {
        doors.flatMap { door in
            [
                Endpoint(
                    .get, door.path, "The page \(door.path).", tag: "pages", access: .open, form: .page
                ) { request in
                    page(renderer, door, request, token: request.queryValue("token"))
                },
                Endpoint(
                    .post, door.path, door.title + ".", tag: "pages", access: .open, form: .page,
                    bodyMediaType: "application/x-www-form-urlencoded", bodyLimit: 16 << 10
                ) { request in
                    try await send(renderer, door, request)
                },
            ]
        }
    }

    private static func send(_ renderer: PageRenderer, _ door: Door, _ request: Request) async throws -> Response {
        let bytes = try await request.body.collected(limit: 16 << 10)
        let fields = Dictionary(
            QueryText.items(String(decoding: bytes, as: UTF8.self)).map { ($0.name, $0.value) },
            uniquingKeysWith: { $1 })
        var body = fields.filter { door.asks.contains($0.key) && !$0.value.isEmpty }.mapValues(JSONValue.string)
        body["token"] = fields["token"].map(JSONValue.string)
        var inner = request
        inner.method = .post
        inner.path = door.call
        inner.query = []
        inner.headers = [.contentType: "application/json"]
        inner.body = RequestBody(bytes: Array(JSONValue.object(body).canonicalText.utf8))
        do {
            let answer = try await renderer.api.respond(to: inner)
            var response = page(renderer, door, request, said: door.said)
            if case .bytes(let bytes) = answer.body, door.call == "/api/panels/enrol",
                let secret = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))["secret"]?.text
            {
                response.headers.append(PanelCookie.field(secret, isSecure: request.isSecure))
            }
            return response
        } catch let error as ServiceError {
            return page(renderer, door, request, fault: error, token: fields["token"])
        }
    }

    private static func page(
        _ renderer: PageRenderer, _ door: Door, _ request: Request, fault: ServiceError? = nil, said: String? = nil,
        token: String? = nil
    ) -> Response {
        // Whoever is signed in joins with the account that they have.
        let isKnown = door.path == "/join" && request.principal.subject != .anonymous
        let asks = said == nil && !isKnown ? door.asks : []
        let values: [String: JSONValue] = [
            "fault": fault.map { .string($0.message) } ?? .null, "said": said.map(JSONValue.string) ?? .null,
            "action": .string(door.path), "token": token.map(JSONValue.string) ?? .null,
            "button": said == nil ? .string(door.button) : .null,
            "asks": .object(Dictionary(asks.map { ($0, .bool(true)) }, uniquingKeysWith: { $1 })),
        ]
        return renderer.page(
            "door", title: door.title, values: values, request: request,
            status: fault.map { Problem.status(of: $0.kind) } ?? .ok)
    }
}

/// The cookie by which a browser is a panel: a secret of its own, for ten years, sent to this server's pages only.
enum PanelCookie {
    private static func name(isSecure: Bool) -> String { isSecure ? "__Host-vigil_panel" : "vigil_panel" }

    static func field(_ secret: String, isSecure: Bool) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value: "\(name(isSecure: isSecure))=\(secret); Path=/; Max-Age=315360000; HttpOnly; SameSite=Strict"
                + (isSecure ? "; Secure" : ""))
    }

    static func value(in headers: HTTPFields, isSecure: Bool) -> String? {
        SessionCookie.value(named: name(isSecure: isSecure), in: headers)
    }
}
