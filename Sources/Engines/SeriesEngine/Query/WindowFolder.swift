import VigilModel
import VigilPorts

/// Folds samples in order of time into windows.
struct WindowFolder {
    private let start: Int64
    private let step: UInt64
    private var windows: [WindowAggregate] = []
    private var starts: [Timestamp] = []
    private var window: UInt64?
    private var current = WindowAggregate()

    init(start: Int64, step: Int64) {
        self.start = start
        self.step = UInt64(max(step, 1))
    }

    mutating func add(_ time: Int64, _ value: Double) {
        // The time is never before the start, so the difference fits even where a signed one would not.
        let index = UInt64(bitPattern: time &- start) / step
        if index != window {
            flush()
            window = index
        }
        current.add(time, value)
    }

    private mutating func flush() {
        guard let window, current.count > 0 else { return }
        starts.append(Timestamp(microseconds: start &+ Int64(bitPattern: window &* step)))
        windows.append(current)
        current = WindowAggregate()
    }

    mutating func finish(_ aggregates: [WindowQuery.Aggregate]) -> ([Timestamp], [[Double]]) {
        flush()
        window = nil
        return (starts, aggregates.map { aggregate in windows.map { $0[aggregate] } })
    }
}
