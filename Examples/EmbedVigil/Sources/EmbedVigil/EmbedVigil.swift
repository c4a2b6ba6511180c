import Foundation
import Vigil
import VigilClient

/// Watches a boiler without a server: a folder of one's own, a rule, an alert.
///
/// `swift run EmbedVigil FOLDER` keeps everything in a folder;
/// `swift run EmbedVigil http://127.0.0.1:8080 TOKEN` does the same on a server.
@main
struct EmbedVigil {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let place = arguments.first else {
            print("usage: EmbedVigil FOLDER | ADDRESS TOKEN")
            return
        }
        if arguments.count > 1, let token = arguments.last {
            try await watch(try VigilClient(place, token: token))
        } else {
            let folder = try await VigilFolder.open(place, tenant: "boiler-house")
            try await watch(folder)
            await folder.close()
        }
    }

    /// The same calls, wherever they go.
    static func watch(_ vigil: some VigilService) async throws {
        if try await vigil.devices(matching: "boiler-1").items.isEmpty {
            try await vigil.add(NewDevice(code: "boiler-1", name: "Boiler 1", kind: "sensor"))
            try await vigil.add(
                NewRule(
                    name: "Pressure too high", metric: "pressure", condition: "above", threshold: 10, unit: "bar",
                    severity: "critical", scope: .init(devices: ["boiler-1"])))
        }
        let start = Date()
        let pressures = [8.1, 8.4, 9.2, 10.6, 9.7]
        let receipt = try await vigil.write(
            pressures.enumerated().map { index, value in
                Reading(
                    device: "boiler-1", metric: "pressure", value: .number(value), unit: "bar",
                    time: start + Double(index - pressures.count))
            })
        print("\(receipt.accepted) readings are on disk")

        let highest = try await vigil.query("max_over_time(pressure[1m])", at: start)
        print("highest pressure of the last minute: \(highest.series.first?.samples.first?.value ?? .nan) bar")

        for alert in try await vigil.alerts(closures: ["open"]).items {
            print("\(alert.severity): \(alert.title)")
            try await vigil.acknowledge(alert: alert.id, note: "Seen by the example.")
        }
    }
}
