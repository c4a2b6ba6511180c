import VigilModel
import VigilPorts

/// Reads the series of a plan one after the other, each when it is asked for.
final class EngineCursor: SampleCursor {
    private let planned: [SeriesEngine.PlannedSeries]
    private let memory: SeriesMemory
    private let maintenance: Turnstile
    private let range: TimeRange
    private let limit: Int
    private var index = 0
    private var handedOut = 0
    private var current: (series: RawSeries, identity: SeriesIdentity, position: Int)?

    /// The longest piece.
    static let pieceSamplesMax = 1 << 14

    init(
        _ planned: [SeriesEngine.PlannedSeries], memory: SeriesMemory, maintenance: Turnstile, range: TimeRange,
        limit: Int
    ) {
        self.memory = memory
        self.maintenance = maintenance
        self.planned = planned
        self.range = range
        self.limit = limit
    }

    func next() async throws(StoreError) -> SeriesSamples? {
        while true {
            try SeriesEngine.checkCancelled()
            if let piece = takePiece() { return piece }
            guard index < planned.count else { return nil }
            let next = planned[index]
            index += 1
            let (start, end) = (range.start.microseconds, range.end.microseconds)
            let series = try await SeriesEngine.read(next, memory, maintenance) { (reader) throws(StoreError) in
                try reader.samples(from: start, to: end)
            }
            handedOut += series.samples.count
            guard handedOut <= limit else { throw StoreError(.limit, "the question reads too many samples") }
            current = (series, next.entry.identity, 0)
        }
    }

    private func takePiece() -> SeriesSamples? {
        guard let (series, identity, position) = current, position < series.samples.count else { return nil }
        let end = min(series.samples.count, position + Self.pieceSamplesMax)
        current?.position = end
        return SeriesSamples(identity: identity, samples: series.samples[position..<end].map(series.sample))
    }
}
