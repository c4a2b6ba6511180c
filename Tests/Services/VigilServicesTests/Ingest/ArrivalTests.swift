import Testing
import VigilModel
import VigilServices

/// When readings of line protocol and files reached us.
@Suite struct ArrivalTests {
    private static func arrivals(_ device: String, _ world: World, limit: Int = 500) async throws -> [String: String] {
        let page = try await world.query.readings(
            ofDevice: device, metric: nil, range: .always, cursor: nil, limit: limit, in: world.scope)
        return page.items.reduce(into: [:]) { $0[$1.time] = $1.arrival ?? "none" }
    }

    @Test func `each reading of lines says when its batch arrived, also after a restart and once it is sealed`()
        async throws
    {
        try await withWorld { world in
            // Two batches whose times lie between each other's, and one that is a year late.
            let batches = [
                "w,device=a v=1 1748779190\nw,device=a v=3 1748779194\nw,device=b v=3 1748779194",
                "w,device=a v=2 1748779192\nw,device=b v=2 1748779192", "w,device=a v=0 1717243200",
            ]
            for batch in batches {
                _ = try await world.lines(batch)
                world.clock.move(.minutes(1))
            }
            let expected = [
                "2025-06-01T11:59:50Z": "2025-06-01T12:00:00Z", "2025-06-01T11:59:54Z": "2025-06-01T12:00:00Z",
                "2025-06-01T11:59:52Z": "2025-06-01T12:01:00Z", "2024-06-01T12:00:00Z": "2025-06-01T12:02:00Z",
            ]
            #expect(try await Self.arrivals("a", world) == expected)
            // Closing seals what is open.
            await world.close()
            let again = try await World(folder: world.folder, clock: world.clock)
            #expect(try await Self.arrivals("a", again) == expected)
            #expect(try await Self.arrivals("b", again)["2025-06-01T11:59:52Z"] == "2025-06-01T12:01:00Z")
            await again.close()
        }
    }

    @Test func `a reading that is sent again has the arrival of what is stored`() async throws {
        try await withWorld { world in
            for _ in 0..<2 {
                _ = try await world.lines("w,device=a v=1 1748779190")
                world.clock.move(.seconds(5))
            }
            #expect(try await Self.arrivals("a", world) == ["2025-06-01T11:59:50Z": "2025-06-01T12:00:05Z"])
        }
    }

    @Test func `a clock that is ahead hides no arrival`() async throws {
        try await withWorld { world in
            _ = try await world.lines("w,device=a v=1 1748800000")
            #expect(try await Self.arrivals("a", world) == ["2025-06-01T17:46:40Z": "2025-06-01T12:00:00Z"])
        }
    }

    @Test(arguments: [(3, 500), (200, 40)])
    func `large batches one after the other keep their arrivals apart`(devices: Int, rows: Int) async throws {
        try await withWorld { world in
            for batch in 0..<3 {
                var text = ""
                for row in 0..<rows {
                    for device in 0..<devices {
                        text += "w,device=d\(device) v=\(row) \(1_748_770_000 + batch * rows + row)\n"
                    }
                }
                let receipt = try await world.lines(text)
                #expect(receipt.receipt.accepted == devices * rows)
                world.clock.move(.minutes(1))
            }
            let all = try await Self.arrivals("d1", world, limit: 500)
            #expect(
                Set(all.values).isSubset(of: ["2025-06-01T12:00:00Z", "2025-06-01T12:01:00Z", "2025-06-01T12:02:00Z"]))
            let newest = Timestamp(microseconds: Int64(1_748_770_000 + 3 * rows - 1) * 1_000_000).description
            let middle = Timestamp(microseconds: Int64(1_748_770_000 + 2 * rows - 1) * 1_000_000).description
            #expect(all[newest] == "2025-06-01T12:02:00Z")
            #expect(rows > 499 || all[middle] == "2025-06-01T12:01:00Z")
        }
    }

    @Test func `an import says when it came`() async throws {
        try await withWorld { world in
            var text = "timestamp,value\n"
            for row in 0..<300 { text += "\(1_700_000_000 + row * 60),\(row)\n" }
            var plan = CSVImport(device: "meter", metric: "m")
            plan.unit = "W"
            _ = try await world.ingest.importCSV(World.body(text), plan, by: world.principal)
            #expect(Set(try await Self.arrivals("meter", world).values) == ["2025-06-01T12:00:00Z"])
        }
    }
}
