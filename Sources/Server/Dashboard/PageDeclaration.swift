import HTTPTypes
import VigilInterface
import VigilModel
import VigilServices

/// One page: its address, its template, and what it reads of the API.
struct PageDeclaration: Sendable {
    /// An answer of the API that a template uses.
    struct Source: Sendable {
        /// The name under which the template finds the answer.
        let name: String
        /// The path with the query.
        ///
        /// `{device}` stands for the page's own parameter; `query` items of the page's address
        /// that are listed in `passing` are added.
        let path: String
        let passing: [String]
        /// Whether the page can do without, when the visitor may not see it.
        let isOptional: Bool

        init(_ name: String, _ path: String, passing: [String] = [], optional: Bool = false) {
            self.name = name
            self.path = path
            self.passing = passing
            isOptional = optional
        }
    }

    let path: String
    let template: String
    let permission: Permission
    /// Makes the title of what was read.
    let title: @Sendable ([String: JSONValue]) -> String
    let sources: [Source]
    /// Adds what the template needs beyond the answers.
    let complete: @Sendable (inout [String: JSONValue], PageRenderer, Request) async throws -> Void

    init(
        _ path: String, template: String, permission: Permission,
        title: @escaping @Sendable ([String: JSONValue]) -> String, sources: [Source],
        complete: @escaping @Sendable (inout [String: JSONValue], PageRenderer, Request) async throws -> Void = {
            _, _, _ in
        }
    ) {
        self.path = path
        self.template = template
        self.permission = permission
        self.title = title
        self.sources = sources
        self.complete = complete
    }

    func endpoint(_ renderer: PageRenderer) -> Endpoint {
        // A visitor without the permission is told so on a page, so the check is made here and not by the transport.
        Endpoint(.get, path, "The page \(template).", tag: "pages", access: .open, form: .page) { request in
            guard request.principal.subject != .anonymous else { return Self.toSignIn(request) }
            guard request.principal.may(permission) else {
                return renderer.fault(
                    ServiceError(.forbidden, "auth.forbidden", "You may not see this page."), request: request)
            }
            do {
                var values: [String: JSONValue] = [:]
                for source in sources {
                    do {
                        values[source.name] = try await renderer.read(address(of: source, request), for: request)
                    } catch let error as ServiceError where source.isOptional && error.kind == .forbidden {
                        continue
                    }
                }
                values["query"] = .object(
                    Dictionary(request.query.map { ($0.name, .string($0.value)) }, uniquingKeysWith: { $1 }))
                try await complete(&values, renderer, request)
                if request.principal.may(Permission("alert", "read")) {
                    let counts = try await renderer.read("/api/alerts/statistics?days=366", for: request)
                    values["openAlerts"] = Enrichment.enriched(counts)["openCount"] ?? .integer(0)
                }
                return renderer.page(template, title: title(values), values: values, request: request)
            } catch let error as ServiceError {
                return renderer.fault(error, request: request)
            }
        }
    }

    private func address(of source: Source, _ request: Request) -> String {
        var path = source.path
        for (name, value) in request.pathValues {
            path = path.replacing("{\(name)}", with: QueryText.encoded(value))
        }
        let passed = request.query.filter { source.passing.contains($0.name) && !$0.value.isEmpty }
        guard !passed.isEmpty else { return path }
        return path + (path.contains("?") ? "&" : "?") + QueryText.text(passed)
    }

    static func toSignIn(_ request: Request) -> Response {
        let query = request.query.isEmpty ? "" : "?" + QueryText.text(request.query)
        return .redirect(to: "/login?next=" + QueryText.encoded(request.path + query))
    }
}
