import Boilers
import Fleet
import Foundation
import HomeSecurity
import VigilInterface
import VigilModel
import Water

/// The four example places.
enum ExamplePlaces {
    static let all: [any SimulatedPlace] = [
        SimulatedHome(), SimulatedBoilerHouse(), SimulatedDistrict(), SimulatedStations(),
    ]
}

/// Makes example places in a tenant, for `vigil seed`.
package struct Seed: Sendable {
    /// What was not there before.
    package struct Made: Codable, Sendable {
        package var sites = 0
        package var devices = 0
        package var rules = 0
    }

    /// Why it ended early.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    private let api: LocalAPI
    private let tenant: String

    package init(api: LocalAPI, tenant: String) {
        self.api = api
        self.tenant = tenant
    }

    package func run() async throws -> Made {
        _ = try await post("/api/local/tenants", .object(["tenant": .string(tenant)]), query: [])
        var made = Made()
        for place in ExamplePlaces.all {
            let isNew = try await add("/api/sites", place.site)
            if isNew { made.sites += 1 }
            for profile in place.profiles { _ = try await add("/api/profiles", profile) }
            for device in place.devices where try await add("/api/devices", device) { made.devices += 1 }
            // Rules have no code to be known by, so they are made with the site only.
            if isNew { for rule in place.rules where try await add("/api/rules", rule) { made.rules += 1 } }
        }
        return made
    }

    /// Whether it is new; a conflict says that it was there.
    private func add(_ path: String, _ body: JSONValue) async throws -> Bool {
        try await post(path, body, query: [("tenant", tenant)]) == 201
    }

    private func post(_ path: String, _ body: JSONValue, query: [(String, String)]) async throws -> Int {
        let answer = try await api.call("POST", path, query: query, body: Array(body.canonicalText.utf8))
        guard answer.isSuccess || answer.status == 409 else {
            struct Problem: Decodable { var detail: String? }
            let detail = (try? JSONDecoder().decode(Problem.self, from: Data(answer.body)))?.detail
            throw Refused(description: detail ?? "\(path) answered \(answer.status)")
        }
        return answer.status
    }
}
