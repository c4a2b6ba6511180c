import HTTPTypes
package import VigilModel
import VigilServices

/// What machines ask of a server: whether it lives, whether it can work, and how it does.
package enum OperationsRoutes {
    /// The description of the API.
    ///
    /// - Parameters:
    ///   - description: The OpenAPI document.
    package static func description(_ description: JSONValue) -> Endpoint {
        let bytes = Array(description.canonicalText.utf8)
        return Endpoint(
            .get, "/openapi.json", "The description of this API, OpenAPI 3.1.", tag: "operations", access: .open,
            answers: JSONValue.self
        ) { _ in
            Response(
                headers: [.contentType: "application/json", .cacheControl: "public, max-age=60"], body: .bytes(bytes))
        }
    }

    /// Whether the process lives: it answers, so it does.
    package static func health(version: String) -> Endpoint {
        .get(
            "/health", "Whether the process lives.", tag: "operations", access: .open, answers: HealthView.self
        ) { _ in
            HealthView(status: "ok", version: version)
        }
    }
}

/// The answer of `/health`.
package struct HealthView: Codable, Sendable {
    package var status: String
    package var version: String
}
