import LineProtocol
import Synchronization
import Testing
import VigilModel

@Suite struct LineSourceCacheTests {
    private final class Calls: Sendable {
        let measurements = Mutex<[String]>([])

        var list: [String] { measurements.withLock { $0 } }

        func note(_ measurement: String) { measurements.withLock { $0.append(measurement) } }
    }

    @Test func `a key is resolved once, and the same object comes back in later requests`() {
        let cache = LineSourceCache()
        let calls = Calls()
        let resolver: LineDecoder.Resolver = {
            calls.note($0)
            return .keep(SeriesSource(device: nil, measurement: $0, labels: $1))
        }
        let bytes = Array("a,x=1 f=1\nb f=1\na,x=1 f=2\n".utf8)
        let first = decode(bytes, cache: cache, resolver: resolver)
        let second = decode(bytes, cache: cache, resolver: resolver)
        #expect(calls.list == ["a", "b"])
        #expect(first.batch.tables.map(\.times.count) == [2, 1])
        #expect(first.batch.tables[0].source === second.batch.tables[0].source)
        cache.removeAll()
        _ = decode(bytes, cache: cache, resolver: resolver)
        #expect(calls.list == ["a", "b", "a", "b"])
    }

    @Test func `an unsettled source is asked for again by the next request`() {
        let cache = LineSourceCache()
        let calls = Calls()
        for _ in 0..<2 {
            _ = decode(Array("a f=1\na f=2".utf8), cache: cache) {
                calls.note($0)
                return .once(SeriesSource(device: nil, measurement: $0, labels: $1))
            }
        }
        #expect(calls.list == ["a", "a"])
        #expect(cache.count == 0)
    }

    @Test func `a refused key refuses all its lines, and bad lines resolve nothing`() {
        let calls = Calls()
        let inactive = LineReason("device_inactive", "the device is switched off")
        let decoded = decode(Array("a f=1\nb f=\nb f=2\na f=3\n".utf8)) { measurement, labels throws(LineReason) in
            calls.note(measurement)
            if measurement == "a" { throw inactive }
            return .keep(SeriesSource(device: nil, measurement: measurement, labels: labels))
        }
        #expect(calls.list == ["a", "b"])
        #expect(decoded.problems.map(\.reason) == [inactive, .valueMissing, inactive])
        #expect(decoded.problems.map(\.line) == [1, 2, 4])
        #expect(decoded.batch.readingCount == 1)
    }

    @Test func `the cache keeps to its capacity`() {
        let cache = LineSourceCache(capacity: 10)
        _ = decode(Array((0..<100).map { "m,a=\($0) f=1\n" }.joined().utf8), cache: cache)
        #expect(cache.count <= 10)
        #expect(cache.count > 0)
    }

    @Test func `what a request finds out after the cache was cleared is not remembered`() {
        let cache = LineSourceCache()
        _ = decode(Array("a f=1".utf8), cache: cache) {
            cache.removeAll()
            return .keep(SeriesSource(device: nil, measurement: $0, labels: $1))
        }
        #expect(cache.count == 0)
    }
}
