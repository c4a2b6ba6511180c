import HTTPTypes
package import VigilInterface
import VigilServices

/// The pages for people, and what they are made of.
///
/// Pages are rendered on the server from the answers of the API, which they call with the visitor's own principal: a page
/// can show nothing that the API would not give, and has no knowledge of services. Scripts then keep the page moving
/// through `/api/live`.
package enum Dashboard {
    /// The endpoints of all pages and assets.
    ///
    /// - Parameters:
    ///   - api: The endpoints that the pages read.
    ///   - settings: What the pages must know of the server.
    package static func endpoints(api: EndpointTable, settings: DashboardSettings) -> [Endpoint] {
        let renderer = PageRenderer(api: api, settings: settings)
        return all.map { $0.endpoint(renderer) } + SignInPages.endpoints(renderer) + DoorPages.endpoints(renderer)
            + Assets.endpoints()
    }

    /// The page of an address that is not there, in the frame that the visitor knows.
    ///
    /// - Parameter api: The endpoints that the pages read.
    package static func lostPage(api: EndpointTable, settings: DashboardSettings) -> Endpoint {
        let renderer = PageRenderer(api: api, settings: settings)
        return Endpoint(
            .get, "/{address}", "The page of an address that is not there.", tag: "pages", access: .open, form: .page
        ) { request in
            let error = ServiceError(.notFound, "address.not_found", "There is no page at this address.")
            guard request.principal.subject != .anonymous else { return renderer.bareFault(error, request: request) }
            return renderer.fault(error, request: request)
        }
    }

    /// The page of what went wrong before anybody knew who asks.
    package static func errorPage(settings: DashboardSettings) -> @Sendable (Problem) -> Response? {
        let renderer = PageRenderer(api: EndpointTable([]), settings: settings)
        return { renderer.bareFault($0) }
    }
}

/// What the pages must know of the server.
package struct DashboardSettings: Sendable {
    /// Where map tiles come from, as Leaflet writes it; `nil` shows places on a plain ground.
    package var mapTiles: String?
    /// The proof against forged requests that the session of this request expects in `X-CSRF-Token`.
    package var proof: @Sendable (Request) -> String

    /// Where the tiles come from, as a content security policy names it: `https://*.tiles.example`.
    package var pictures: String? {
        guard let mapTiles, let scheme = mapTiles.firstRange(of: "://") else { return nil }
        let host = mapTiles[scheme.upperBound...].prefix { $0 != "/" }
        return String(mapTiles[..<scheme.upperBound] + host.replacing("{s}", with: "*"))
    }

    package init(mapTiles: String? = nil, proof: @escaping @Sendable (Request) -> String) {
        self.mapTiles = mapTiles
        self.proof = proof
    }
}
