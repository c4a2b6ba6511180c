import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What is removed and written out of the store of readings by hand.
@Suite struct SeriesCareTests {
    private func care(_ world: World) -> SeriesCareService {
        SeriesCareService(stores: world.stores, clock: world.clock)
    }

    private func retention(_ world: World) -> RetentionService {
        RetentionService(stores: world.stores, clock: world.clock)
    }

    private func hold(_ metric: String, _ world: World) async throws -> RetentionRule {
        var form = RetentionRuleForm(.reading, metric: metric)
        form.legalHold = true
        return try await retention(world).createRule(form, by: world.principal)
    }

    /// Four readings each of flow and level, one a minute.
    private func writeReadings(_ world: World) async throws {
        try await world.device("t")
        for _ in 0..<4 {
            try await world.send(#"{"flow": 1.5, "level": 2.5}"#, to: "t")
            world.clock.move(.minutes(1))
        }
    }

    private func removals(_ world: World) async throws -> [AuditList.Entry] {
        try await AuditList(stores: world.stores).entries(.init(), .first, in: world.scope).items
            .filter { ["delete", "expire"].contains($0.action) && $0.resource == "reading" }
    }

    private func export(
        _ matchers: [LabelMatcher], _ form: SeriesExport.Form, _ world: World
    ) async throws -> String {
        var bytes: [UInt8] = []
        let pieces = try await care(world).export(SeriesSelection(matchers), as: SeriesExport(form), in: world.scope)
        for try await piece in pieces { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let every = [LabelMatcher(LabelMatcher.metricName, .matches, "(?s).+")]

    @Test func `a legal hold protects what lies only in the archive, and what goes from there is counted once`()
        async throws
    {
        try await withWorld { world in
            try await writeReadings(world)
            var form = RetentionRuleForm(.reading, hot: "1d", archive: "5y")
            form.rollups = RollupAges(minute: "5y", hour: "5y", day: "5y")
            _ = try await retention(world).createRule(form, by: world.principal)
            world.clock.move(.days(60))
            _ = try await retention(world).sweep()
            let flow = SeriesSelection([.metric("flow")])
            #expect(try await world.stores.series.series(flow, in: world.scope).isEmpty, "all lies in the archive")
            let rule = try await hold("flow", world)
            for isDryRun in [true, false] {
                await #expect { try await care(world).delete(flow, isDryRun: isDryRun, by: world.principal) } throws: {
                    ($0 as? ServiceError)?.code == "retention.held"
                }
            }
            try await retention(world).deleteRule(rule.id, version: nil, by: world.principal)
            let counted = try await care(world).delete(flow, isDryRun: true, by: world.principal)
            #expect(counted.samples == 4 && counted.series == 1)
            let gone = try await care(world).delete(flow, isDryRun: false, by: world.principal)
            #expect(gone.samples == 4 && gone.series == 1)
            let entry = try #require(try await removals(world).first { $0.action == "delete" })
            #expect(entry.after?["samples"] == .integer(4) && entry.after?["series"] == .integer(1))
            #expect(try await care(world).delete(flow, isDryRun: true, by: world.principal).series == 0)
        }
    }

    @Test func `what retention takes away beside something held is counted, as its preview says`() async throws {
        try await withWorld { world in
            try await writeReadings(world)
            _ = try await retention(world).createRule(RetentionRuleForm(.reading, hot: "7d"), by: world.principal)
            // As its rule, but held: its readings lie in the same file.
            var form = RetentionRuleForm(.reading, metric: "level", hot: "7d")
            form.legalHold = true
            _ = try await retention(world).createRule(form, by: world.principal)
            world.clock.move(.days(30))
            let foretold = try await retention(world).preview(by: world.principal).items
            let done = try await retention(world).sweepNow(by: world.principal).items
            for items in [foretold, done] {
                let readings = items.filter { $0.subject == .reading }
                // The objects as sent stay with what was read from them.
                #expect(readings.first { $0.fate == "stays" }?.count == 8)
                #expect((readings.first { $0.fate == "goes" }?.count ?? 0) >= 4)
            }
            let counts = [foretold, done].map { items in
                items.filter { $0.subject == .reading && $0.fate == "goes" }.reduce(0) { $0 + $1.count }
            }
            #expect(counts[0] == counts[1])
            let noted = try #require(try await removals(world).first { $0.action == "expire" })
            #expect(noted.after?["count"] == .integer(Int64(counts[1])))
            let left = try await world.stores.series.series(SeriesSelection([.metric("flow")]), in: world.scope)
            #expect(left.isEmpty)
        }
    }

    @Test func `every reading of a tenant goes with its space, when the tenant's code is typed and nothing is held`()
        async throws
    {
        try await withWorld { world in
            try await writeReadings(world)
            let counted = try await care(world).deleteAll(confirmation: nil, isDryRun: true, by: world.principal)
            #expect(counted.samples == 8 && counted.series == 2, "Vigil's own series are not counted")
            for typed in [nil, "", "yes"] {
                await #expect {
                    try await care(world).deleteAll(confirmation: typed, isDryRun: false, by: world.principal)
                } throws: { ($0 as? ServiceError)?.code == "series.confirm" }
            }
            let rule = try await hold("level", world)
            await #expect {
                try await care(world).deleteAll(confirmation: "test", isDryRun: false, by: world.principal)
            } throws: { ($0 as? ServiceError)?.code == "retention.held" }
            #expect(try await samples(world).values.reduce(0) { $0 + $1.count } == 8, "nothing went")
            try await retention(world).deleteRule(rule.id, version: nil, by: world.principal)
            let gone = try await care(world).deleteAll(confirmation: "test", isDryRun: false, by: world.principal)
            #expect(gone.samples == 8 && !gone.isDryRun)
            #expect(try await world.stores.series.series(SeriesSelection([]), in: world.scope).isEmpty)
            #expect(try await world.stores.series.statistics().sampleCount == 0)
            #expect(try await removals(world).first?.after?["samples"] == .integer(8))
            try await world.send(#"{"flow": 3}"#, to: "t")
            #expect(try await export([.metric("flow")], .jsonl, world).contains("\"value\":3"))
        }
    }

    @Test func `no selector reaches what Vigil keeps for itself`() async throws {
        try await withWorld { world in
            try await writeReadings(world)
            for form in SeriesExport.Form.allCases {
                #expect(try await !export(Self.every, form, world).contains("__"))
                #expect(try await export([.metric("__journal")], form, world).split(separator: "\n").count <= 1)
            }
            let own = SeriesSelection([LabelMatcher(LabelMatcher.metricName, .matches, "__.*")])
            let before = try await world.stores.series.removal(own, in: world.scope)
            #expect(before.samples > 0)
            for matchers in [Self.every, [.metric("__journal")], own.matchers] {
                _ = try await care(world).delete(SeriesSelection(matchers), isDryRun: false, by: world.principal)
            }
            #expect(try await world.stores.series.removal(own, in: world.scope) == before)
            #expect(try await care(world).statistics(top: 10, in: world.scope).tenantSeries == 0)
        }
    }

    // MARK: - Out and in again

    @Test func `readings come back from line protocol under their names`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await world.send(#"{"temperature": 21, "trail_": 1.5, "_lead": true, "a_b": 2}"#, to: "t")
            let lines = #"""
                boiler,device=t,room=a\,b\ \=c outlet_temp=60,note="say \"no\"
                and go",count=5i 1748779200000000000

                """#
            try await send(lines, world)
            let before = try await samples(world)
            #expect(before.count == 7)
            let text = try await export(Self.every, .line, world)
            _ = try await care(world).delete(SeriesSelection(Self.every), isDryRun: false, by: world.principal)
            #expect(try await samples(world).isEmpty)
            try await send(text, world)
            #expect(try await samples(world) == before)
        }
    }

    @Test func `what line protocol cannot say is counted at the end, and series are named`() async throws {
        try await withWorld { world in
            let sources: [(String, Labels, ReadingColumn.Values)] = [
                ("good", ["room": "a"], .floats([1, 2])), ("good", ["room": "b"], .floats([.nan, .infinity])),
                ("bad", ["room": "c\\"], .floats([1, 2])), ("worse", ["floor\n": "d"], .integers([1, 2])),
            ]
            let first = Timestamp("1500-01-01T00:00:00Z") ?? .distantPast
            let tables = sources.map { metric, labels, values in
                ReadingTable(
                    source: SeriesSource(device: nil, labels: labels),
                    times: [World.start.microseconds, first.microseconds].sorted(),
                    columns: [ReadingColumn(field: metric, values: values)])
            }
            _ = try await world.stores.series.append(
                ReadingBatch(tables: tables, arrival: World.start), in: world.scope)
            let lines = try await export(Self.every, .line, world).split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first == "_,room=a good=2.0 \(World.start.microseconds)000")
            let end = try #require(lines.last)
            #expect(end.hasPrefix("# left out: 7 readings: 2 that are NaN"))
            #expect(end.contains("1 with times") && end.contains("bad (label room)"))
            #expect(end.contains("worse (label floor )"))
            try await send(lines.joined(separator: "\n") + "\n", world)
        }
    }

    @Test func `JSON lines tell kinds apart`() async throws {
        try await withWorld { world in
            let columns: [(String, ReadingColumn.Values, String)] = [
                ("a", .floats([5]), #""value":5.0}"#), ("b", .integers([5]), #""value":5}"#),
                ("c", .floats([.nan]), #""nonFinite":"NaN","#), ("d", .floats([-.infinity]), #""nonFinite":"-Inf","#),
                ("e", .texts(["NaN"]), #""value":"NaN"}"#), ("f", .objects([#"{"x": [1]}"#]), #""value":{"x":[1]}}"#),
                ("g", .booleans([true]), #""value":true}"#), ("h", .floats([1e300]), #""value":1e+300}"#),
            ]
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: [World.start.microseconds],
                columns: columns.map { ReadingColumn(field: $0.0, values: $0.1) })
            _ = try await world.stores.series.append(
                ReadingBatch(tables: [table], arrival: World.start), in: world.scope)
            for (metric, _, expected) in columns {
                let line = try await export([.metric(metric)], .jsonl, world)
                #expect(line.contains(expected), "\(line)")
                #expect((try? JSONValue(parsing: line)) != nil, "\(line)")
            }
        }
    }

    private func send(_ lines: String, _ world: World) async throws {
        let receipt = try await world.ingest.receiveLines(
            World.body(lines), precision: "ns", by: world.principal)
        #expect(receipt.refusedLines == 0, "\(receipt.refusals)")
    }

    /// Everything that people sent.
    private func samples(_ world: World) async throws -> [SeriesIdentity: [Sample]] {
        var found: [SeriesIdentity: [Sample]] = [:]
        let cursor = try await world.stores.series.samples(SeriesSelection(Self.every), in: world.scope)
        while let piece = try await cursor.next() {
            if !piece.identity.metric.hasPrefix("__") { found[piece.identity, default: []] += piece.samples }
        }
        return found
    }
}
