import AsyncHTTPClient
import Foundation
package import Logging
import NIOCore
import NIOHTTP1
import VigilInterface
import VigilModel
import VigilPorts

/// Four places that do not exist, which report to a server as real ones do.
package struct Demo: Sendable {
    private let address: String
    private let token: String
    private let logger: Logger
    private let clock = SystemClock()
    private let places = ExamplePlaces.all

    package init(address: String, token: String, logger: Logger) {
        self.address = address
        self.token = token
        self.logger = logger
    }

    /// Sets the places up as far as they are not there yet, then reports every second; new places also send two hours of
    /// history meanwhile.
    package func run() async throws {
        try await waitUntilServing()
        try await revokeEarlierTokens()
        var isNew = false
        for place in places {
            isNew = try await post("/api/sites", place.site.canonicalText) == 201 || isNew
            for profile in place.profiles { _ = try await post("/api/profiles", profile.canonicalText) }
            for device in place.devices { _ = try await post("/api/devices", device.canonicalText) }
            if isNew { for rule in place.rules { _ = try await post("/api/rules", rule.canonicalText) } }
        }
        let start = clock.now()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reportForEver(from: start) }
            if isNew { group.addTask { try await sendHistory(until: start) } }
            try await group.waitForAll()
        }
    }

    private func reportForEver(from start: Timestamp) async throws {
        var beat = start
        while true {
            try await clock.wait(until: beat)
            for place in places {
                for report in place.reports(at: beat, elapsed: beat - start) { try await send(report) }
            }
            beat = beat + .seconds(1)
        }
    }

    /// Two hours, one report a minute, from now backwards: a chart is whole from the right.
    private func sendHistory(until start: Timestamp) async throws {
        for minute in stride(from: Int64(-1), through: -120, by: -1) {
            let time = start + .minutes(minute)
            for place in places {
                for report in place.reports(at: time, elapsed: .minutes(minute)) { try await send(report) }
            }
        }
    }

    private func send(_ report: SimulatedReport) async throws {
        let status = try await post(report.path, report.body, contentType: report.contentType)
        if status >= 400 { logger.warning("a simulated report was refused", metadata: ["status": "\(status)"]) }
    }

    /// The newest token of this name is ours; those of earlier runs have nobody who uses them.
    private func revokeEarlierTokens() async throws {
        var request = HTTPClientRequest(url: address + "/api/tokens?limit=100")
        request.headers.add(name: "Authorization", value: "Token \(token)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 1 << 20)
        guard let answer = try? JSONValue(parsing: String(buffer: body)) else { return }
        let earlier = (answer["items"]?.elements ?? []).filter { $0["name"]?.text == "simulators" }.dropFirst()
        for id in earlier.compactMap({ $0["id"]?.text }) {
            var revocation = HTTPClientRequest(url: address + "/api/tokens/" + id)
            revocation.method = .DELETE
            revocation.headers.add(name: "Authorization", value: "Token \(token)")
            _ = try await HTTPClient.shared.execute(revocation, timeout: .seconds(10))
        }
    }

    private func waitUntilServing() async throws {
        for _ in 0..<100 {
            var request = HTTPClientRequest(url: address + "/health")
            request.method = .GET
            if let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2)),
                response.status == .ok
            {
                return
            }
            try await clock.wait(for: .milliseconds(100))
        }
    }

    private func post(_ path: String, _ body: String, contentType: String = "application/json") async throws -> Int {
        var request = HTTPClientRequest(url: address + path)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Token \(token)")
        request.headers.add(name: "Content-Type", value: contentType)
        request.body = .bytes(ByteBuffer(string: body))
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            _ = try await response.body.collect(upTo: 1 << 20)
            return Int(response.status.code)
        } catch let error as HTTPClientError {
            logger.warning("the server did not answer", metadata: ["error": "\(error)"])
            return 0
        }
    }
}
