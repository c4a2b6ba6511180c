import HTTPTypes
import VigilModel
package import VigilServices

/// Finding by words and by place.
package enum SearchRoutes {
    package static func all(_ search: SearchService) -> [Endpoint] {
        [words(search), near(search), question(search), measure(search)]
    }

    private static let kind = Endpoint.Parameter("kind", "Only this kind; may be given several times.")

    private static func words(_ search: SearchService) -> Endpoint {
        .get(
            "/api/search",
            "Finds devices, sites, locations and alerts by words: all of them, \"phrases\", -without; the last is a prefix.",
            tag: "search", access: .signedIn,
            parameters: [
                .init("q", "The words.", required: true), kind,
                .init("language", "The language of the words: english when absent, simple for none."),
                .init("prefix", "false: the last word is whole."),
                .init("site", "Only what belongs to this site, by identifier."),
                .init("status", "Only devices of this status."),
                .init("severity", "Only alerts of this severity."), .init("closure", "Only alerts that are so."),
                .init("offset", "How many to pass over: 0 to 10000."), .init("limit", "At most 100; 20 when absent."),
            ], answers: FoundPage.self
        ) { request in
            guard let text = request.queryValue("q") else { throw ServiceError.invalid("q", "must be given") }
            var tags: [String: String] = [:]
            for name in ["site", "status", "severity", "closure"] { tags[name] = request.queryValue(name) }
            return try await search.find(
                text, kinds: request.queryValues("kind"), language: request.queryValue("language"), tags: tags,
                lastIsPrefix: try request.queryValue("prefix", as: Bool.self) ?? true,
                offset: try request.queryValue("offset", as: Int.self) ?? 0,
                limit: try request.queryValue("limit", as: Int.self) ?? 20, by: request.principal)
        }
    }

    private static func near(_ search: SearchService) -> Endpoint {
        .get(
            "/api/geometry/near", "Devices, locations and sites near a point as GeoJSON, the nearest first.",
            tag: "search", access: .signedIn,
            parameters: [
                .init("longitude", "Degrees, −180 to 180.", required: true),
                .init("latitude", "Degrees, −90 to 90.", required: true),
                .init("metres", "At most so far; when absent, the nearest however far."), kind,
                .init("limit", "At most 1000; 100 when absent."),
            ], answers: JSONValue.self
        ) { request in
            guard let longitude = try request.queryValue("longitude", as: Double.self),
                let latitude = try request.queryValue("latitude", as: Double.self)
            else { throw ServiceError.invalid("longitude", "must be given, with latitude") }
            let point = JSONValue.object([
                "type": .string("Point"), "coordinates": .array([.number(longitude), .number(latitude)]),
            ])
            return try await search.places(
                PlaceQuestion(
                    near: point, metres: try request.queryValue("metres", as: Double.self),
                    kinds: request.queryValues("kind"), limit: try request.queryValue("limit", as: Int.self)),
                by: request.principal)
        }
    }

    private static func question(_ search: SearchService) -> Endpoint {
        .send(
            .post, "/api/geometry/query",
            "Devices, locations and sites within, touching, around or near a geometry, as GeoJSON.", tag: "search",
            access: .signedIn, body: PlaceQuestion.self, answers: JSONValue.self
        ) { request, question in
            try await search.places(question, by: request.principal)
        }
    }

    private static func measure(_ search: SearchService) -> Endpoint {
        .send(
            .post, "/api/geometry/measure", "Area, length and centre of a GeoJSON geometry, on the ellipsoid.",
            tag: "search", access: .signedIn, body: JSONValue.self, answers: GeometryFigures.self
        ) { _, geometry in
            try await search.measure(geometry)
        }
    }
}
