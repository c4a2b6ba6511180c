import ConnectionKit
import Testing

@Suite struct RetryTests {
    @Test func `a back-off doubles up to its limit, and its jitter stays within its part`() {
        let plain = Backoff(base: .milliseconds(100), limit: .seconds(2), jitter: 0)
        #expect(
            (1...7).map { plain.delay(after: $0) }
                == [100, 200, 400, 800, 1600, 2000, 2000].map { Duration.milliseconds($0) })
        #expect(plain.delay(after: 1_000_000) == .seconds(2))
        let random = Backoff(base: .milliseconds(100), limit: .seconds(2), jitter: 0.25)
        for _ in 0..<1000 {
            let delay = random.delay(after: 3)
            #expect(delay >= .milliseconds(400) && delay <= .milliseconds(500))
        }
    }

    @Test func `a breaker opens after failures in a row, lets one try, and closes at its success`() {
        var breaker = CircuitBreaker<ContinuousClock.Instant>(
            threshold: 2, backoff: Backoff(base: .seconds(1), limit: .seconds(8), jitter: 0))
        let start = ContinuousClock.now
        func permits(after milliseconds: Int) -> Bool { breaker.permits(at: start + .milliseconds(milliseconds)) }
        breaker.failed(at: start)
        breaker.succeeded()
        breaker.failed(at: start)
        #expect(permits(after: 0))
        breaker.failed(at: start)
        #expect(breaker.state == .open)
        #expect(!permits(after: 999))
        #expect(permits(after: 1000))
        #expect(breaker.state == .halfOpen)
        #expect(!permits(after: 1000))
        // Given up without an answer: another may try.
        breaker.abandoned()
        #expect(permits(after: 1000))
        breaker.failed(at: start + .seconds(1))
        #expect(!permits(after: 2999))
        #expect(permits(after: 3000))
        breaker.succeeded()
        #expect(breaker.state == .closed)
    }

    @Test func `an executor runs jobs in their order on one thread, also those that come after its end`() async {
        actor Place {
            nonisolated let executor: ThreadExecutor
            private var seen: [Int] = []
            nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

            init(_ executor: ThreadExecutor) { self.executor = executor }

            func note(_ number: Int) -> [Int] {
                seen.append(number)
                return seen
            }
        }
        let executor = ThreadExecutor(name: "test")
        let place = Place(executor)
        for number in 0..<100 { #expect(await place.note(number).count == number + 1) }
        executor.stop()
        executor.stop()
        #expect(await place.note(100) == Array(0...100))
    }
}
