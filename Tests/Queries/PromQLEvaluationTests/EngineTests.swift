import Foundation
import PromQLEvaluation
import Testing
import VigilModel

@Suite struct EngineTests {
    let store = MemorySeriesStore()
    let clock = StillClock()

    private func engine(_ change: (inout QueryLimits) -> Void = { _ in }) -> PromQLEngine {
        var limits = QueryLimits()
        change(&limits)
        return PromQLEngine(store: store, clock: clock, patterns: testPatterns, limits: limits)
    }

    private func fill(_ metric: String, _ labels: Labels = .none, device: DeviceID? = nil, count: Int = 100) {
        let samples = (0..<count).map { (Int64($0) * 15_000_000, Double($0)) }
        store.put(SeriesIdentity(device: device, metric: metric, labels: labels), samples)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `answers have the form of Prometheus`() async throws {
        fill("m", ["a": "x\"y"])
        let instant = try await engine().instant("m", at: Timestamp(milliseconds: 30_500), in: testScope)
        #expect(
            text(PrometheusAnswer.bytes(instant))
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"m","a":"x\"y"},"value":[30.5,"2"]}]}}"#
        )
        let range = try await engine().range(
            "m / 4", from: Timestamp(seconds: 15), to: Timestamp(seconds: 45), step: .seconds(15), in: testScope)
        #expect(
            text(PrometheusAnswer.bytes(range))
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"x\"y"},"values":[[15,"0.25"],[30,"0.5"],[45,"0.75"]]}]}}"#
        )
        let scalar = try await engine().instant("1/0", at: Timestamp(seconds: 1), in: testScope)
        #expect(text(PrometheusAnswer.bytes(scalar)).contains(#""resultType":"scalar","result":[1,"+Inf"]"#))
    }

    /// Windows that follow each other, that overlap, and one alone; all there, a part gone, all gone.
    @Test(arguments: ["60s", "15s", "20s"], [0, 700, 2000] as [Int64])
    func `quantiles over time are answered where samples went`(_ step: String, _ gone: Int64) async throws {
        fill("m", ["a": "1"])
        fill("m", ["a": "2"], count: 60)
        func answer(_ query: String) async throws -> String {
            let (start, end) = (Timestamp(seconds: 300), Timestamp(seconds: 1200))
            let seconds = Int64(step.dropLast()) ?? 0
            let range = try await engine().range(query, from: start, to: end, step: .seconds(seconds), in: testScope)
            let instant = try await engine().instant(query, at: end, in: testScope)
            return text(PrometheusAnswer.bytes(range)) + text(PrometheusAnswer.bytes(instant))
        }
        let queries = [
            "quantile_over_time(0.25, m[1m])", "quantile_over_time(0.9, m{a=\"2\"}[3m] offset 1m)",
            "sum(quantile_over_time(1, m[5m] @ 600))", "quantile_over_time(0.5, nothing[1m])",
            "quantile_over_time(2, m[1m])",
        ]
        var before: [String] = []
        for query in queries.dropLast() { before.append(try await answer(query)) }
        store.letGo(before: gone * 1_000_000)
        for (query, wanted) in zip(queries, before) { #expect(try await answer(query) == wanted, "\(query)") }
        // A share that is none needs samples.
        #expect(try await answer(queries[4]).contains("+Inf") == (gone < 2000))
    }

    @Test func `two devices that report the same labels stay two series`() async throws {
        let first = DeviceID(high: 1, low: 1)
        fill("m", device: first)
        fill("m", device: DeviceID(high: 2, low: 2))
        let result = try await engine().instant("count(m)", at: Timestamp(seconds: 60), in: testScope)
        guard case .vector(let items) = result.value else { return #expect(Bool(false)) }
        #expect(items.map(\.point.value) == [2])
        let one = try await engine().instant("m{device_id=\"\(first)\"}", at: Timestamp(seconds: 60), in: testScope)
        guard case .vector(let found) = one.value else { return #expect(Bool(false)) }
        #expect(found.count == 1)
    }

    @Test func `an aggregation over everything is the same whether somebody looks at labels or not`() async throws {
        for place in 1...5 {
            fill("m", ["a": "\(place)"], device: DeviceID(high: 1, low: UInt64(place)), count: place * 3)
        }
        for (alone, beside) in [
            ("avg(avg_over_time(m[1m]))", "avg by () (avg_over_time(m[1m])) + 0 * count(last_over_time(m[1m]) * 1)"),
            ("sum((sum_over_time(m[1m])))", "sum(sum_over_time(m[1m])) + 0 * sum(sum_over_time(m[1m]) > -1)"),
            ("max(delta(m[1m]) * 2)", "max by () (2 * delta(m[1m]))"),
            ("count(delta(m[1m]))", "count(delta(m[1m]) < 1e9)"),
        ] {
            let one = try await engine().instant(alone, at: Timestamp(seconds: 45), in: testScope)
            let other = try await engine().instant(beside, at: Timestamp(seconds: 45), in: testScope)
            #expect(text(PrometheusAnswer.bytes(one)) == text(PrometheusAnswer.bytes(other)), "\(alone)")
        }
        let both = try await engine().instant(
            "count(last_over_time(m[1m])) + on() group_right() last_over_time(m[1m])", at: Timestamp(seconds: 45),
            in: testScope)
        #expect(text(PrometheusAnswer.bytes(both)).components(separatedBy: "device_id").count == 6)
    }

    @Test func `labels that are kept are those of what is found now`() async throws {
        let engine = engine()
        func answer(_ query: String) async throws -> String {
            text(
                try await engine.answer(
                    query, at: .range(from: Timestamp(seconds: 60), to: Timestamp(seconds: 120), step: .seconds(60)),
                    in: testScope))
        }
        func places(_ text: String) -> [String] {
            text.components(separatedBy: "\"a\":\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
        }
        for place in [5, 3, 1, 4, 2] { fill("m", ["a": "\(place)"], device: DeviceID(high: 1, low: UInt64(place))) }
        let plain = try await answer("sum_over_time(m[1m])")
        let named = try await answer("last_over_time(m[1m])")
        #expect(places(plain) == ["1", "2", "3", "4", "5"])
        #expect(named.contains("__name__") && !plain.contains("__name__"))
        // A second time from what is kept, also by another function over the same series.
        #expect(try await answer("sum_over_time(m[1m])") == plain)
        #expect(try await answer("last_over_time(m[1m])") == named)
        #expect(try await answer("max_over_time(m[1m]) * 2").contains("__name__") == false)
        fill("m", ["a": "0"], device: DeviceID(high: 1, low: 9))
        #expect(places(try await answer("sum_over_time(m[1m])")) == ["0", "1", "2", "3", "4", "5"])
        store.clear()
        for place in [7, 6, 8, 9, 5, 4] { fill("m", ["a": "\(place)"], device: DeviceID(high: 2, low: UInt64(place))) }
        #expect(places(try await answer("sum_over_time(m[1m])")) == ["4", "5", "6", "7", "8", "9"])
        let relabelled = try await answer(#"label_replace(sum_over_time(m[1m]), "b", "x$1", "a", "(.*)")"#)
        #expect(relabelled.contains(#""b":"x4""#))
    }

    private func found(_ query: String, at seconds: Int64) async throws -> [String] {
        let result = try await engine().instant(query, at: Timestamp(seconds: seconds), in: testScope)
        guard case .vector(let items) = result.value else { return ["no vector"] }
        return items.map { "\($0.labels["__name__"])/\($0.labels["device_id"].suffix(1))=\($0.point.value)" }
    }

    @Test func `an instant sees the newest sample, the newest before it, or none that is too old`() async throws {
        let (one, two) = (DeviceID(high: 1, low: 1), DeviceID(high: 2, low: 2))
        // 0 … 1485 s, 0 … 585 s, and one without a device.
        fill("m", device: one)
        fill("m", device: two, count: 40)
        #expect(try await found("m", at: 1500) == ["m/1=99.0"])
        #expect(try await found("m", at: 600) == ["m/1=40.0", "m/2=39.0"])
        #expect(try await found("m", at: 1785) == [])
        fill("n", count: 10)
        #expect(try await found("{__name__=~\"m|n\"}", at: 130) == ["m/1=8.0", "m/2=8.0", "n/=8.0"])
        #expect(try await found("{__name__=~\"m|n\"}", at: 150) == ["m/1=10.0", "m/2=10.0", "n/=9.0"])
        // Two ages of one selector: neither is answered by the newest alone.
        #expect(try await found("m - (m offset 10m)", at: 1500) == ["/1=39.0"])
    }

    @Test func `a choice of devices, as dashboards write it, is those devices`() async throws {
        let devices = (1...3).map { DeviceID(high: UInt64($0), low: UInt64($0)) }
        for device in devices { fill("m", device: device) }
        fill("m")
        let choice = "\(devices[0])|\(devices[2])"
        #expect(try await found("m{device_id=~\"\(choice)\"}", at: 60) == ["m/1=4.0", "m/3=4.0"])
        #expect(try await found("m{device_id=~\"(\(choice))\"}", at: 60) == ["m/1=4.0", "m/3=4.0"])
        #expect(try await found("m{device_id=~\"\(devices[1])|other\"}", at: 60) == ["m/2=4.0"])
        #expect(try await found("m{device_id=~\"other|none\"}", at: 60) == [])
        #expect(try await found("m{device_id=~\"|\(devices[1])\"}", at: 60).count == 2)
        #expect(try await found("m{device_id=~\".*3\"}", at: 60) == ["m/3=4.0"])
    }

    @Test func `a query past its limits is refused`() async throws {
        for index in 0..<20 { fill("m", ["i": "\(index)"]) }
        let end = Timestamp(seconds: 1000)
        await #expect(throws: QueryError.self) {
            try await engine { $0.samples = 100 }.instant("m[1h]", at: end, in: testScope)
        }
        await #expect(throws: QueryError.self) {
            try await engine { $0.series = 10 }.instant("m", at: end, in: testScope)
        }
        await #expect(throws: QueryError.self) {
            try await engine().range("m", from: Timestamp(seconds: 0), to: end, step: .milliseconds(1), in: testScope)
        }
        await #expect(throws: QueryError.self) {
            try await engine().range("m", from: end, to: Timestamp(seconds: 0), step: .seconds(1), in: testScope)
        }
    }

    @Test func `a query that takes too long ends as a timeout`() async throws {
        fill("m")
        let moving = MovingClock()
        let engine = PromQLEngine(store: store, clock: moving, patterns: testPatterns)
        do {
            _ = try await engine.instant("m", at: Timestamp(seconds: 60), in: testScope)
            #expect(Bool(false))
        } catch {
            #expect(error.kind == .timeout)
        }
    }

    @Test func `labels and values are listed`() async throws {
        fill("m", ["a": "1"])
        fill("n", ["b": "2"])
        #expect(try await engine().labelNames([], in: .always, in: testScope) == ["__name__", "a", "b"])
        #expect(try await engine().labelValues(of: "__name__", [], in: .always, in: testScope) == ["m", "n"])
        let matchers = try QueryParameters.matchers("m{a=\"1\"}")
        #expect(try await engine().series([matchers], in: .always, in: testScope).count == 1)
    }

    @Test(arguments: [
        ("1435781430.781", 1_435_781_430_781 as Int64?), ("2015-07-01T20:10:30.781Z", 1_435_781_430_781), ("0", 0),
        ("-1.5", -1500), ("abc", nil), ("1e99", nil), ("NaN", nil), ("", nil),
    ])
    func `times are seconds or RFC 3339`(text: String, milliseconds: Int64?) {
        #expect(QueryParameters.time(text)?.microseconds == milliseconds.map { $0 * 1000 })
    }

    @Test(arguments: [("15", 15.0 as Double?), ("0.5", 0.5), ("5m", 300), ("1h30m", 5400), ("x", nil), ("1+1", nil)])
    func `steps are seconds or durations`(text: String, seconds: Double?) {
        #expect(QueryParameters.span(text)?.seconds == seconds)
    }

    @Test(arguments: [
        (0.1, "0.1"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (-0.0, "-0"), (1e-7, "1e-07"),
        (123456789.125, "123456789.125"), (1.5e300, "1.5e+300"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (0.00001, "1e-05"),
    ])
    func `numbers are written as Prometheus writes them`(value: Double, expected: String) {
        #expect(NumberText.of(value) == expected)
    }
}
