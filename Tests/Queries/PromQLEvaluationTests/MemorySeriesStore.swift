import PatternKit
import Synchronization
import VigilModel
import VigilPorts

/// A series store in the memory of a test: a plain list of series, read by walking over it.
final class MemorySeriesStore: SeriesStore {
    private let held = Mutex<[SeriesIdentity: [Int64: Sample]]>([:])

    func put(_ identity: SeriesIdentity, _ samples: [(Int64, Double)]) {
        held.withLock { held in
            for (time, value) in samples {
                held[identity, default: [:]][time] = Sample(time: Timestamp(microseconds: time), value: .float(value))
            }
        }
    }

    /// The numbers before this went: windows still tell of them.
    private let goneBefore = Mutex<Int64>(.min)

    func letGo(before time: Int64) { goneBefore.withLock { $0 = time } }

    func clear() { held.withLock { $0 = [:] } }

    func append(_ batch: ReadingBatch, in scope: AccessScope) async throws(StoreError) -> LogPosition {
        for table in batch.tables {
            for column in table.columns {
                for row in table.times.indices {
                    guard let number = column[row]?.number else { continue }
                    put(table.source.identity(of: column.field), [(table.times[row], number)])
                }
            }
        }
        return .start
    }

    func samples(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> any SampleCursor {
        let gone = goneBefore.withLock { $0 }
        let pieces = try selected(selection).compactMap { piece in
            let rest = piece.samples.filter { $0.time.microseconds >= gone }
            return rest.isEmpty ? nil : SeriesSamples(identity: piece.identity, samples: rest)
        }
        return Cursor(pieces)
    }

    private func selected(_ selection: SeriesSelection) throws(StoreError) -> [SeriesSamples] {
        var tests: [(SeriesIdentity) -> Bool] = []
        for matcher in selection.matchers {
            var pattern: Pattern?
            if matcher.operation == .matches || matcher.operation == .notMatches {
                pattern = Pattern(matcher.value)
                guard pattern != nil else { throw StoreError(.invalid, "a pattern is malformed") }
            }
            tests.append { identity in
                let value =
                    matcher.name == LabelMatcher.metricName ? identity.metric : identity.labels[matcher.name] ?? ""
                return switch matcher.operation {
                case .equal: value == matcher.value
                case .notEqual: value != matcher.value
                case .matches: pattern?.matchesWhole(value) ?? false
                case .notMatches: !(pattern?.matchesWhole(value) ?? true)
                }
            }
        }
        let all = held.withLock { $0 }
        return all.compactMap { identity, samples in
            guard tests.allSatisfy({ $0(identity) }) else { return nil }
            if let devices = selection.devices, !devices.contains(where: { $0 == identity.device }) { return nil }
            let inside = samples.values.filter { selection.range.contains($0.time) }.sorted { $0.time < $1.time }
            return inside.isEmpty ? nil : SeriesSamples(identity: identity, samples: inside)
        }
    }

    func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows] {
        let (start, step) = (query.selection.range.start.microseconds, query.step.microseconds)
        return try selected(query.selection).compactMap { series in
            var windows: [Int64: WindowAggregate] = [:]
            var numbers: [Int64: [Double]] = [:]
            for sample in series.samples {
                guard let number = sample.value.number else { continue }
                let place = (sample.time.microseconds - start) / step
                windows[place, default: WindowAggregate()].add(sample.time.microseconds, number)
                if !number.isNaN { numbers[place, default: []].append(number) }
            }
            let places = windows.filter { $0.value.count > 0 }.keys.sorted()
            guard !places.isEmpty else { return nil }
            return SeriesWindows(
                identity: series.identity,
                windows: places.compactMap { place in
                    windows[place].map { .init(start: Timestamp(microseconds: start + place * step), known: $0) }
                },
                aggregates: query.aggregates,
                quantiles: query.quantiles.map { share in
                    places.map { WindowAggregate.quantile(share, of: (numbers[$0] ?? []).sorted()) }
                })
        }
    }

    func latest(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>?, in scope: AccessScope
    ) async throws(StoreError) -> [LatestSample] {
        try selected(SeriesSelection(matchers, devices: devices)).compactMap { series in
            series.samples.last.map { LatestSample(identity: series.identity, sample: $0, arrival: $0.time) }
        }
    }

    func series(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> [SeriesIdentity] {
        try selected(selection).map(\.identity)
    }

    func delete(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Int { 0 }

    func deleteTenant(in scope: AccessScope) async throws(StoreError) { clear() }

    func statistics() async throws(StoreError) -> SeriesStatistics {
        SeriesStatistics(seriesCount: held.withLock { $0.count }, sampleCount: 0, diskBytes: 0, memoryBytes: 0)
    }

    func close() async {}

    private final class Cursor: SampleCursor {
        private var rest: ArraySlice<SeriesSamples>

        init(_ pieces: [SeriesSamples]) { rest = pieces[...] }

        func next() async throws(StoreError) -> SeriesSamples? { rest.popFirst() }
    }
}
