import Foundation
import TemporaryFolders
import Testing
import Vigil

@Suite struct VigilFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder("vigil-library")
    }

    @Test func `a program opens a folder, writes, asks and closes, and finds all again`() async throws {
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        let vigil = try await VigilFolder.open(folder.path, tenant: "home")
        try await vigil.add(NewDevice(code: "boiler", name: "Boiler", kind: "sensor"))
        let receipt = try await vigil.write([
            Reading(device: "boiler", metric: "temperature", value: 71.5, unit: "degC", time: time),
            Reading(device: "boiler", metric: "temperature", value: 72, unit: "degC", time: time + 60),
        ])
        #expect(receipt.accepted == 2)
        await vigil.close()

        let again = try await VigilFolder.open(folder.path, tenant: "home")
        let latest = try await again.latest(ofDevice: "boiler")
        #expect(latest.map(\.value.number) == [72])
        #expect(latest.first?.time == time + 60)
        let readings = try await again.readings(ofDevice: "boiler")
        #expect(readings.items.map { $0.values["temperature"]?.number } == [72, 71.5])
        let answer = try await again.query("max_over_time(temperature[5m])", at: time + 61)
        #expect(answer.series.map { $0.samples.map(\.value) } == [[72]])
        let range = try await again.query("temperature", from: time, to: time + 60, stepSeconds: 60)
        #expect(range.series.map { $0.samples.map(\.value) } == [[71.5, 72]])
        await again.close()
    }

    @Test func `a rule raises an alert in the same process, which is heard and acknowledged`() async throws {
        let vigil = try await VigilFolder.open(folder.path, tenant: "home")
        try await vigil.add(NewDevice(code: "boiler", name: "Boiler", kind: "sensor"))
        try await vigil.add(
            NewRule(name: "Too hot", metric: "temperature", condition: "above", threshold: 90, severity: "high"))
        let live = try await vigil.live(["alert.*"])
        try await vigil.write([Reading(device: "boiler", metric: "temperature", value: 95)])
        var heard: String?
        for try await message in live {
            heard = message.type
            break
        }
        #expect(heard == "alert.raised")
        // The installation itself may have something to say on a busy machine.
        let alert = try #require(try await vigil.alerts(closures: ["open"]).items.first { $0.rule != nil })
        #expect(alert.severity == "high")
        let after = try await vigil.acknowledge(alert: alert.id, note: "seen")
        #expect(after.acknowledged && after.note == "seen")
        await vigil.close()
    }

    @Test func `a second opening is refused by name`() async throws {
        let vigil = try await VigilFolder.open(folder.path, tenant: "home")
        let error = await #expect(throws: VigilError.self) {
            _ = try await VigilFolder.open(folder.path, tenant: "home")
        }
        #expect(error?.code == "folder.held")
        await vigil.close()
    }

    @Test func `a setting that is not allowed is named`() async throws {
        let error = await #expect(throws: VigilError.self) {
            _ = try await VigilFolder.open(folder.path, tenant: "home", settings: ["server.port": "many"])
        }
        #expect(error?.code == "configuration.invalid")
        #expect(error?.message.contains("server.port") == true)
    }

    @Test func `a refusal carries the server's code and sentence`() async throws {
        let vigil = try await VigilFolder.open(folder.path, tenant: "home")
        let error = await #expect(throws: VigilError.self) { _ = try await vigil.device("nowhere") }
        #expect(error?.status == 404)
        await vigil.close()
    }
}
