import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct IngestTests {
    @Test func `a reading is kept as sent, with its values, its type and its times`() async throws {
        try await withWorld { world in
            try await world.device("sensor-1", handler: "temperature")
            let receipt = try await world.send(
                #"{"value": {"temperature": 72.5, "unit": "F"}, "reading_type": "temperature", "time": "2025-06-01T11:59:00Z"}"#,
                to: "sensor-1")
            #expect(receipt.accepted == 1)
            #expect(receipt.processed)
            let page = try await world.query.readings(
                ofDevice: "sensor-1", metric: nil, range: .always, cursor: nil, limit: 10, in: world.scope)
            let reading = try #require(page.items.first)
            #expect(reading.values["temperature"] == .number(72.5))
            #expect(reading.units["temperature"] == "F")
            #expect(reading.readingType == "temperature")
            #expect(reading.time == "2025-06-01T11:59:00Z")
            #expect(reading.arrival == "2025-06-01T12:00:00Z")
            #expect(reading.processed)
            #expect(reading.value?["value"]?["unit"] == .string("F"))
        }
    }

    @Test func `the good readings of a batch are kept and the bad ones named`() async throws {
        try await withWorld { world in
            try await world.device("door", handler: "door_contact")
            let receipt = try await world.send(
                #"[{"value": {"state": "open"}}, {"value": {"state": "ajar"}}, {"value": {"state": "closed"}, "time": "2027-01-01T00:00:00Z"}]"#,
                to: "door")
            #expect(receipt.refused == 2)
            #expect(receipt.refusals.map(\.line) == [2, 3])
            #expect(receipt.refusals.map(\.code) == ["reading.contact", "time.future"])
        }
    }

    @Test func `an inactive device is refused, and one in maintenance is recorded without alerting`() async throws {
        try await withWorld { world in
            try await world.device("off", handler: "door_contact", status: .inactive)
            try await world.device("repair", handler: "door_contact", status: .maintenance)
            await #expect(throws: ServiceError.self) {
                try await world.send(#"{"value": {"state": "open"}}"#, to: "off")
            }
            try await world.send(#"{"value": {"state": "open"}}"#, to: "repair")
            #expect(try await world.alerts().isEmpty)
        }
    }

    @Test func `a label that names a tenant is refused`() async throws {
        try await withWorld { world in
            try await world.device("a")
            await #expect(throws: ServiceError.self) {
                try await world.send(#"{"metric": "x", "value": 1, "labels": {"tenant": "other"}}"#, to: "a")
            }
        }
    }

    @Test func `line protocol keeps the good lines, and says which were bad`() async throws {
        try await withWorld { world in
            let text =
                "weather,device=w1 temperature=21.5,humid=40i 1748779200\nbad line\nweather,device=w1 temperature=22 1748779140\n"
            let receipt = try await world.lines(text)
            #expect(receipt.receipt.accepted == 3)
            #expect(receipt.receipt.refused == 1)
            #expect(receipt.refusals.first?.line == 2)
            let latest = try await world.query.latest(ofDevice: "w1", in: world.scope)
            #expect(latest.first { $0.metric == "weather_temperature" }?.value == .number(21.5))
        }
    }

    @Test func `a second owner of a metric's name is refused`() async throws {
        try await withWorld { world in
            try await world.device("a")
            try await world.send(#"{"metric": "boiler_steam_flow", "value": 1}"#, to: "a")
            let receipt = try await world.lines("# flow\nboiler,device=a steam_flow=1")
            #expect(receipt.receipt.accepted == 0)
            #expect(receipt.receipt.refusals.first?.code == "metric.taken")
            #expect(receipt.receipt.refusals.first?.line == 2)
        }
    }

    @Test func `readings of a device that nobody has claimed are counted`() async throws {
        try await withWorld { world in
            try await world.send(
                #"[{"device": "new", "metric": "x", "value": 1}, {"device": "new", "metric": "x", "value": 2}]"#,
                to: nil)
            world.clock.move(.minutes(1))
            try await world.send(#"{"device": "new", "metric": "x", "value": 3}"#, to: nil)
            try await world.directory.flush()
            let row = try await world.stores.relational.read(in: world.scope) { transaction in
                try transaction.rows("SELECT sightings, last_seen FROM discoveries WHERE reference = 'new'").first
            }
            #expect(try row?.get("sightings", as: Int.self) == 3)
            #expect(try row?.get("last_seen", as: Timestamp.self) == world.clock.now())
        }
    }
}
