import HTTPTypes
import Synchronization
import VigilInterface
package import VigilServices

/// Counts requests and their times, by route and status.
package final class HTTPMetrics: Sendable {
    /// Upper bounds in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Tally {
        var count = 0
        var seconds = 0.0
        var buckets = [Int](repeating: 0, count: HTTPMetrics.bounds.count)

        mutating func add(_ time: Double, in bucket: Int?) {
            count += 1
            seconds += time
            if let bucket { buckets[bucket] += 1 }
        }
    }

    private let tallies = Mutex<[Key: Tally]>([:])

    package init() {}

    func record(_ endpoint: Endpoint?, _ method: HTTPRequest.Method, _ status: HTTPResponse.Status, took: Duration) {
        // Only declared routes and methods become labels: what a client makes up would grow without end.
        let key = Key(
            method: endpoint == nil ? "-" : method.rawValue, route: endpoint?.path ?? "-", status: status.code)
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        tallies.withLock { $0[key, default: Tally()].add(seconds, in: bucket) }
    }

    /// What was counted, as metrics.
    package func families() -> [MetricFamily] {
        let tallies = tallies.withLock { $0 }.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
        var times = MetricFamily("vigil_http_request_seconds", "Time from a request's head to its answer.", .histogram)
        for (key, tally) in tallies {
            let labels = [("method", key.method), ("route", key.route), ("status", String(key.status))]
            var sum = 0
            for (bound, count) in zip(Self.bounds, tally.buckets) {
                sum += count
                times.add(Double(sum), suffix: "_bucket", labels + [("le", "\(bound)")])
            }
            times.add(Double(tally.count), suffix: "_bucket", labels + [("le", "+Inf")])
            times.add(tally.seconds, suffix: "_sum", labels)
            times.add(Double(tally.count), suffix: "_count", labels)
        }
        return [times]
    }
}
