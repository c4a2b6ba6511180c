import VigilModel
import VigilPorts

/// Which file a sample belongs into: one for each way to be kept, and stretch of time.
struct ChunkPlace: Hashable, Sendable {
    let bounds: RetentionBounds
    /// Counted from 1970 in stretches of ``ChunkPlacement/length(_:)``.
    let period: Int64
}

/// Finds the file of a sample.
struct ChunkPlacement: Sendable {
    /// The stretch of a file whose readings stay for ever, in microseconds.
    let standardLength: Int64

    private static let day: Int64 = 86_400_000_000

    /// The stretch of time of one file, in microseconds.
    ///
    /// A file moves and goes whole, so it holds about a seventh of the shortest bound, in whole days: what is to go after
    /// seven days goes after eight at the latest.
    func length(_ bounds: RetentionBounds) -> Int64 {
        var shortest = Int64.max
        for (_, bound) in bounds.steps {
            if case .age(let span) = bound { shortest = min(shortest, span.microseconds) }
        }
        guard shortest < .max else { return standardLength }
        return max(Self.day, min(standardLength, shortest / 7 / Self.day * Self.day))
    }

    func place(of time: Int64, _ bounds: RetentionBounds) -> ChunkPlace {
        let (quotient, rest) = time.quotientAndRemainder(dividingBy: length(bounds))
        return ChunkPlace(bounds: bounds, period: rest < 0 ? quotient - 1 : quotient)
    }

    func start(of place: ChunkPlace) -> Int64 { place.period * length(place.bounds) }

    /// The first moment after the file's stretch.
    func end(of place: ChunkPlace) -> Int64 { (place.period + 1) * length(place.bounds) }
}

extension ChunkStore {
    /// The samples of a series, each stretch with the place of its file.
    func parted(_ whole: RawSeries, _ bounds: RetentionBounds) -> [(ChunkPlace, RawSeries)] {
        var result: [(ChunkPlace, RawSeries)] = []
        var start = 0
        while start < whole.samples.count {
            let place = placement.place(of: whole.samples[start].time, bounds)
            let end = placement.end(of: place)
            let next = whole.samples[start...].firstIndex { $0.time >= end } ?? whole.samples.count
            result.append((place, RawSeries(samples: Array(whole.samples[start..<next]), texts: whole.texts)))
            start = next
        }
        return result
    }
}
