package import VigilInterface

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
}

/// What the pages must know of the server.
package struct DashboardSettings: Sendable {
    /// Where map tiles come from, as Leaflet writes it; `nil` shows places on a plain ground.
    package var mapTiles: String?
    /// The proof against forged requests that the session of this request expects in `X-CSRF-Token`.
    package var proof: @Sendable (Request) -> String

    package init(mapTiles: String? = nil, proof: @escaping @Sendable (Request) -> String) {
        self.mapTiles = mapTiles
        self.proof = proof
    }
}
