import Foundation
import HTTPTypes
import Mustache
import VigilInterface
import VigilModel
import VigilServices

/// Makes HTML of templates and answers of the API.
struct PageRenderer: Sendable {
    let api: EndpointTable
    let settings: DashboardSettings
    private let library: MustacheLibrary

    init(api: EndpointTable, settings: DashboardSettings) {
        self.api = api
        self.settings = settings
        var library = MustacheLibrary()
        for (path, content) in EmbeddedFiles.all where path.hasSuffix(".mustache") {
            let name = path.dropFirst("Templates/".count).dropLast(".mustache".count)
            do {
                try library.register(content.text ?? "", named: String(name))
            } catch {
                preconditionFailure("BUG: the template \(path) does not parse: \(error)")
            }
        }
        self.library = library
    }

    /// What the API answers to the visitor of `request`.
    ///
    /// - Throws: What the endpoint throws: a page that may not be seen is an error page.
    func read(_ path: String, for request: Request) async throws -> JSONValue {
        var inner = request
        let parts = path.split(separator: "?", maxSplits: 1)
        inner.method = .get
        inner.path = String(parts[0])
        inner.query = parts.count > 1 ? QueryText.items(String(parts[1])) : []
        inner.body = .empty
        inner.headers = [:]
        let response = try await api.respond(to: inner)
        guard case .bytes(let bytes) = response.body else { return .null }
        return try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// The page of `template` with `values`, in the frame that all pages share.
    func page(
        _ template: String, title: String, values: [String: JSONValue], request: Request,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var context = Self.plain(.object(values.mapValues(Enrichment.enriched))) as? [String: Any] ?? [:]
        context["title"] = title
        context["page"] = template
        context["proof"] = settings.proof(request)
        context["tiles"] = settings.mapTiles ?? ""
        context["visitor"] = request.principal.name
        context["isSignedIn"] = request.principal.subject != .anonymous
        context["places"] = Place.all.filter { request.principal.may($0.permission) }
            .map {
                ["name": $0.name, "link": $0.link, "isHere": $0.isHere(request.path), "counts": $0.link == "/alerts"]
            }
        guard let html = library.render(context, withTemplate: template) else {
            preconditionFailure("BUG: there is no template \(template)")
        }
        return Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: .bytes(Array(html.utf8)))
    }

    /// The page that tells what went wrong.
    func fault(_ error: ServiceError, request: Request) -> Response {
        let status = Problem.status(of: error.kind)
        return page(
            "fault", title: status.reasonPhrase,
            values: ["message": .string(error.message), "status": .integer(Int64(status.code))], request: request,
            status: status)
    }

    /// The same without the frame, for those who are not signed in.
    func bareFault(_ error: ServiceError, request: Request) -> Response {
        let status = Problem.status(of: error.kind)
        return page(
            "lost", title: status.reasonPhrase, values: ["message": .string(error.message)], request: request,
            status: status)
    }

    /// The same for a problem of which nothing else is known.
    func bareFault(_ problem: Problem) -> Response? {
        let context = ["title": problem.title, "message": problem.detail, "request": problem.instance ?? ""]
        guard let html = library.render(context, withTemplate: "lost") else { return nil }
        return Response(
            status: .init(code: problem.status),
            headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: .bytes(Array(html.utf8)))
    }

    /// A JSON value as the template engine takes it: members that are null are absent.
    private static func plain(_ value: JSONValue) -> Any? {
        switch value {
        case .null: nil
        case .bool(let value): value
        case .integer(let value): value
        case .number(let value): value
        case .string(let value): value
        case .array(let values): values.compactMap(plain)
        case .object(let members): members.compactMapValues(plain)
        }
    }
}

/// A place in the bar at the side.
struct Place: Sendable {
    let name: String
    let link: String
    let permission: Permission

    static let all = [
        Place(name: "Overview", link: "/", permission: Permission("device", "read")),
        Place(name: "Alerts", link: "/alerts", permission: Permission("alert", "read")),
        Place(name: "Sites", link: "/sites", permission: Permission("site", "read")),
        Place(name: "Devices", link: "/devices", permission: Permission("device", "read")),
        Place(name: "Rules", link: "/rules", permission: Permission("rule", "read")),
        Place(name: "Discovered", link: "/discovered", permission: Permission("device", "create")),
        Place(name: "Fields", link: "/fields", permission: Permission("field", "read")),
        Place(name: "Jobs", link: "/jobs", permission: Permission("job", "read")),
        Place(name: "Audit", link: "/audit", permission: Permission("audit", "read")),
        Place(name: "Users", link: "/users", permission: Permission("user", "read")),
    ]

    func isHere(_ path: String) -> Bool { link == "/" ? path == "/" : path == link || path.hasPrefix(link + "/") }
}

/// The text of a URL's query.
enum QueryText {
    static func items(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(parts[0]), parts.count > 1 ? decoded(parts[1]) : "")
        }
    }

    /// `name=value&…` of items, encoded.
    static func text(_ items: [(name: String, value: String)]) -> String {
        items.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
    }

    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }

    private static func decoded(_ text: Substring) -> String {
        text.replacing("+", with: " ").removingPercentEncoding ?? String(text)
    }
}
