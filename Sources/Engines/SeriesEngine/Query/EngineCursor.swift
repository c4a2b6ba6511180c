import VigilModel
import VigilPorts

/// Reads the series of a plan one after the other, stretch by stretch, each when it is asked for.
final class EngineCursor: SampleCursor {
    private let engine: SeriesEngine
    private var planned: [PlannedGroup]
    private let end: Int64
    private let start: Int64
    private let budget: QueryBudget
    private let source = ChunkSource()
    private var group = 0
    private var entry = 0
    private var stretches: ArraySlice<TimeStretch>?
    /// Everything of the present series before this was handed out.
    private var resume: Int64
    private var current: (series: RawSeries, identity: SeriesIdentity, position: Int)?

    /// The longest piece.
    static let pieceSamplesMax = 1 << 14

    init(_ planned: [PlannedGroup], engine: SeriesEngine, range: TimeRange, budget: QueryBudget) {
        self.engine = engine
        self.planned = planned
        self.budget = budget
        start = range.start.microseconds
        end = range.end.microseconds
        resume = start
    }

    func next() async throws(StoreError) -> SeriesSamples? {
        while true {
            try budget.check()
            if let piece = takePiece() { return piece }
            guard group < planned.count else { return nil }
            if try await !readStretch() { advance() }
        }
    }

    private func takePiece() -> SeriesSamples? {
        guard let (series, identity, position) = current, position < series.samples.count else { return nil }
        let end = min(series.samples.count, position + Self.pieceSamplesMax)
        current?.position = end
        return SeriesSamples(identity: identity, samples: series.samples[position..<end].map(series.sample))
    }

    /// Goes to the next series.
    private func advance() {
        resume = start
        stretches = nil
        entry += 1
        guard entry >= planned[group].entries.count else { return }
        entry = 0
        source.removeAll()
        // What was read needs no memory any more.
        planned[group].snapshot = SeriesMemory.Snapshot(chunks: [], blocks: [], newest: [])
        group += 1
    }

    /// Reads the next stretch of the present series; false when there is none.
    private func readStretch() async throws(StoreError) -> Bool {
        let series = planned[group].entries[entry]
        var from = resume
        var rest = stretches
        let read = try await engine.reading(&planned[group]) { (planned, isNew) throws(StoreError) -> RawSeries? in
            if isNew { source.removeAll() }
            if isNew || rest == nil { rest = TimeStretch.all(of: planned.snapshot, from: from, to: end)[...] }
            while let stretch = rest?.first {
                let samples = try stretch.reader(series, source).samples(from: from, to: end)
                rest?.removeFirst()
                from = max(from, stretch.lastTime &+ 1)
                if !samples.samples.isEmpty { return samples }
            }
            return nil
        }
        stretches = rest
        resume = from
        guard let read else { return false }
        try budget.takeSamples(read.samples.count)
        current = (read, series.identity, 0)
        return true
    }
}
