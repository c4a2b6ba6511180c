import VigilModel
import VigilPorts

extension SeriesContract {
    static let reading: [Clause] = [
        Clause("series/samples-order", "The samples of a series come in order of time") {
            let room = SeriesRoom($0.store)
            for second in [5, 1, 4, 2, 3] as [Int64] { try await room.append("level", floats: [(second, 0)]) }
            try require(try await room.values("level").map(\.second), is: [1, 2, 3, 4, 5])
        },
        Clause("series/samples-range", "The start of a range belongs to it, the end does not") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: (1...5).map { ($0, Double($0)) })
            let seconds = try await room.values("level", range: SeriesRoom.range(2, 4)).map(\.second)
            try require(seconds, is: [2, 3])
        },
        Clause("series/samples-matchers", "All matchers must hold; an absent label has the empty value") {
            let room = SeriesRoom($0.store)
            try await room.append("a", floats: [(1, 1)], labels: ["zone": "north", "floor": "1"])
            try await room.append("b", floats: [(1, 1)], labels: ["zone": "south"])
            try await room.append("c", floats: [(1, 1)])
            let table: [([LabelMatcher], [String])] = [
                ([], ["a", "b", "c"]),
                ([LabelMatcher("zone", .equal, "north")], ["a"]),
                ([LabelMatcher("zone", .notEqual, "north")], ["b", "c"]),
                ([LabelMatcher("zone", .equal, "")], ["c"]),
                ([LabelMatcher("zone", .notEqual, "")], ["a", "b"]),
                ([LabelMatcher("zone", .matches, "north|south")], ["a", "b"]),
                ([LabelMatcher("zone", .matches, "nor")], []),
                ([LabelMatcher("zone", .notMatches, "n.*")], ["b", "c"]),
                ([LabelMatcher("zone", .matches, ".*")], ["a", "b", "c"]),
                ([LabelMatcher("__name__", .matches, "a|c")], ["a", "c"]),
                ([LabelMatcher("zone", .matches, ".+"), LabelMatcher("floor", .equal, "1")], ["a"]),
            ]
            for (matchers, expected) in table { try require(try await room.metrics(matchers), is: expected) }
        },
        Clause("series/samples-pattern", "A malformed pattern is refused") {
            let room = SeriesRoom($0.store)
            try await requireError(.invalid) { try await room.samples([LabelMatcher("zone", .matches, "(")]) }
        },
        Clause("series/samples-devices", "Only series of the given devices are selected") {
            let room = SeriesRoom($0.store)
            let (one, two) = (DeviceID(at: SeriesRoom.at(0)), DeviceID(at: SeriesRoom.at(0)))
            try await room.append("a", [(1, .float(1))], device: one)
            try await room.append("a", [(1, .float(2))], device: two)
            try await room.append("a", [(1, .float(3))])
            let found = try await room.samples(devices: [one])
            try require(found.keys.map(\.device), is: [one])
        },
        Clause("series/samples-limit", "One sample more than the limit throws") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: (1...10).map { ($0, 0) })
            try require(try await room.samples(limit: 10).values.first?.count ?? 0, is: 10)
            try await requireError(.limit) { try await room.samples(limit: 9) }
        },
        Clause("series/samples-snapshot", "A cursor sees everything that was appended before the call") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1)])
            let cursor = try await room.store.samples(SeriesSelection([.metric("level")]), in: room.scope)
            try await room.append("other", floats: [(1, 1)])
            let first = try await cursor.next()
            try require(first?.samples.count ?? 0, is: 1)
        },
        Clause("series/samples-long", "A long series comes in pieces that follow one another in time") {
            let room = SeriesRoom($0.store)
            let count = 40_000
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: (0..<count).map { SeriesRoom.at(Int64($0)).microseconds },
                columns: [ReadingColumn(field: "level", values: .integers((0..<count).map(Int64.init)))])
            let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
            _ = try await room.store.append(batch, in: room.scope)
            let values = try await room.values("level")
            try require(values.map(\.second), is: (0..<count).map(Int64.init))
        },
    ]

    static let listing: [Clause] = [
        Clause("series/list-range", "A series is listed when it has a sample in the range") {
            let room = SeriesRoom($0.store)
            try await room.append("early", floats: [(1, 1)])
            try await room.append("late", floats: [(100, 1)])
            let selection = SeriesSelection([], range: SeriesRoom.range(50, 200))
            try require(try await room.store.series(selection, in: room.scope).map(\.metric), is: ["late"])
        },
        Clause("series/list-identity", "A series comes back with its device, metric and labels") {
            let room = SeriesRoom($0.store)
            let device = DeviceID(at: SeriesRoom.at(0))
            let labels: Labels = ["zone": "north", "line": "é \u{1F600}"]
            try await room.append("level", [(1, .float(1))], device: device, labels: labels)
            let expected = SeriesIdentity(device: device, metric: "level", labels: labels)
            try require(try await room.store.series(SeriesSelection([]), in: room.scope), is: [expected])
        },
        Clause("series/labels", "Names and values of labels, metrics and devices are listed") {
            let room = SeriesRoom($0.store)
            let device = DeviceID(at: SeriesRoom.at(0))
            try await room.append("level", [(1, .float(1))], device: device, labels: ["zone": "north", "line": "a"])
            try await room.append("level", [(1, .float(1))], labels: ["zone": "south"])
            try await room.append("flow", [(1, .float(1))], labels: ["pump": "p"])
            let level = SeriesSelection([.metric("level")])
            try require(
                try await room.store.labelNames(SeriesSelection([]), in: room.scope), is: ["zone", "line", "pump"])
            try require(try await room.store.labelNames(level, in: room.scope), is: ["zone", "line"])
            try require(try await room.store.labelValues(of: "zone", level, in: room.scope), is: ["north", "south"])
            let metrics = try await room.store.labelValues(
                of: LabelMatcher.metricName, SeriesSelection([]), in: room.scope)
            try require(metrics, is: ["level", "flow"])
            try require(try await room.store.devices(SeriesSelection([]), in: room.scope), is: [device])
            let north = SeriesSelection([LabelMatcher("zone", .matches, "n.*")])
            try require(try await room.store.labelValues(of: "line", north, in: room.scope), is: ["a"])
        },
        Clause(
            "series/labels-range",
            "Labels of series with a sample in the range are listed, of those before or behind not"
        ) {
            let room = SeriesRoom($0.store)
            try await room.append("early", [(1, .float(1))], labels: ["e": "1"])
            try await room.append("late", [(100, .float(1))], labels: ["l": "1"])
            let selection = SeriesSelection([], range: SeriesRoom.range(50, 200))
            try require(try await room.store.labelNames(selection, in: room.scope), is: ["l"])
        },
        Clause("series/labels-removed", "Labels of a series that was removed are not listed") {
            let room = SeriesRoom($0.store)
            try await room.append("level", [(1, .float(1))], labels: ["zone": "north"])
            try await room.append("flow", [(1, .float(1))], labels: ["zone": "north"])
            try await room.delete("level")
            let all = SeriesSelection([])
            let metrics = try await room.store.labelValues(of: LabelMatcher.metricName, all, in: room.scope)
            try require(metrics, is: ["flow"])
        },
        Clause(
            "series/labels-scope", "Labels of devices that a scope hides are not listed, nor those of another tenant"
        ) {
            let room = SeriesRoom($0.store)
            let (first, second) = (DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2))
            try await room.append("level", [(1, .float(1))], device: first, labels: ["zone": "north"])
            try await room.append("flow", [(1, .float(1))], device: second, labels: ["hall": "south"])
            let seeing = AccessScope(tenant: room.tenant, visibility: .assigned(devices: [first], locations: []))
            let all = SeriesSelection([])
            try require(try await room.store.labelNames(all, in: seeing), is: ["zone"])
            try require(try await room.store.devices(all, in: seeing), is: [first])
            let other = SeriesRoom(room.store)
            try require(try await other.store.labelNames(all, in: other.scope), is: [])
        },
        Clause("series/list-same", "Two ways to the same metric, device and labels are one series") {
            let room = SeriesRoom($0.store)
            for (measurement, field, second) in [("a", "b_c", 1), ("a_b", "c", 2), ("", "a_b_c", 3)]
                as [(String, String, Int64)]
            {
                let table = ReadingTable(
                    source: SeriesSource(device: nil, measurement: measurement),
                    times: [SeriesRoom.at(second).microseconds],
                    columns: [ReadingColumn(field: field, values: .floats([1]))])
                let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
                _ = try await room.store.append(batch, in: room.scope)
            }
            try require(try await room.metrics([]), is: ["a_b_c"])
            try require(try await room.values("a_b_c").map(\.second), is: [1, 2, 3])
        },
        Clause("series/statistics", "Statistics count what is stored, for a scope of no tenant") {
            let room = SeriesRoom($0.store)
            let before = try await room.store.statistics()
            try await room.append("level", floats: [(1, 1), (2, 2)])
            let after = try await room.store.statistics()
            try require(after.seriesCount - before.seriesCount, is: 1)
            try require(after.sampleCount - before.sampleCount >= 2, "samples are not counted")
        },
    ]
}
