import ConnectionKit
import Testing

@Suite(.timeLimit(.minutes(5))) struct ConnectionPoolTests {
    private let clock = HandPoolClock()
    private let server = TestServer()

    private func pool(
        _ maximum: Int, waiting: Int = 1000, timeout: Duration = .seconds(10), idle: Duration = .seconds(300),
        life: Duration = .seconds(3600)
    ) -> ConnectionPool<TestConnection> {
        let settings = PoolSettings(
            maximum: maximum, maximumWaiting: waiting, waitTimeout: timeout, idleLifetime: idle, maximumLifetime: life,
            reconnect: Backoff(base: .milliseconds(100), limit: .seconds(2), jitter: 0))
        return ConnectionPool(settings, clock: clock) { [server] in try server.connect() }
    }

    private func until(_ condition: () -> Bool) async {
        var turns = 0
        while !condition(), turns < 3_000_000 {
            turns += 1
            await Task.yield()
        }
        #expect(condition())
    }

    // MARK: Bounds

    @Test func `no more connections are open than allowed, and a free one is used again`() async throws {
        let pool = pool(3)
        for _ in 0..<5 { try await pool.withConnection { _ in } }
        #expect(server.opened.count == 1)
        let busy = Shared([0, 0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await pool.withConnection { _ in
                        busy.change { $0 = [$0[0] + 1, max($0[1], $0[0] + 1)] }
                        await Task.yield()
                        busy.change { $0[0] -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(busy.now[1] <= 3)
        #expect(server.opened.count <= 3)
        #expect(pool.statistics.busy == 0)
    }

    @Test func `one more than may wait is refused at once`() async throws {
        let pool = pool(1, waiting: 2)
        let held = try await pool.acquire()
        let waiting = (0..<2).map { _ in Task { try await pool.withConnection { _ in } } }
        await until { pool.statistics.waiting == 2 }
        await #expect(throws: PoolFailure.tooManyWaiting) { _ = try await pool.acquire() }
        pool.release(held)
        for task in waiting { try await task.value }
    }

    // MARK: Fairness

    @Test func `who came first is served first, and nobody overtakes`() async throws {
        let pool = pool(1)
        let held = try await pool.acquire()
        let order = Shared<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<20 {
            tasks.append(Task { try await pool.withConnection { _ in order.change { $0.append(number) } } })
            await until { pool.statistics.waiting == number + 1 }
        }
        pool.release(held)
        for task in tasks { try await task.value }
        #expect(order.now == Array(0..<20))
        #expect(server.opened.count == 1)
        #expect(pool.statistics.waited == 20)
    }

    @Test func `a spoilt connection is closed, and its place goes to whoever waits longest`() async throws {
        let pool = pool(1)
        let held = try await pool.acquire()
        let next = Task { try await pool.withConnection { $0.number } }
        await until { pool.statistics.waiting == 1 }
        held.spoil()
        pool.release(held)
        #expect(try await next.value == 1)
        await until { held.timesClosed == 1 }
        #expect(pool.statistics.lost == 1)
        #expect(pool.statistics.reconnects == 1)
    }

    // MARK: Time

    @Test func `who waits too long is told, and the others keep their places`() async throws {
        let pool = pool(1, timeout: .seconds(10))
        let held = try await pool.acquire()
        let first = Task { try await pool.withConnection { _ in } }
        await until { pool.statistics.waiting == 1 && clock.sleepers == 1 }
        clock.move(.seconds(6))
        let second = Task { try await pool.withConnection { _ in } }
        await until { pool.statistics.waiting == 2 }
        clock.move(.seconds(5))
        await #expect(throws: PoolFailure.timeout) { try await first.value }
        #expect(pool.statistics.waiting == 1)
        #expect(pool.statistics.timeouts == 1)
        pool.release(held)
        try await second.value
        // Eleven seconds in vain, and five until the connection came back.
        #expect(pool.statistics.waitTime == .seconds(16))
    }

    @Test func `a connection that rested too long is closed, and one that is old is replaced`() async throws {
        let pool = pool(1, idle: .seconds(300), life: .seconds(3600))
        try await pool.withConnection { _ in }
        clock.move(.seconds(301))
        #expect(try await pool.withConnection { $0.number } == 1)
        for _ in 0..<13 {
            clock.move(.seconds(280))
            try await pool.withConnection { _ in }
        }
        // The last time it was too old to be kept.
        #expect(server.opened.count == 2)
        await until { server.opened.allSatisfy { $0.timesClosed == 1 } }
        #expect(try await pool.withConnection { $0.number } == 2)
    }

    // MARK: Cancellation

    @Test func `a cancelled caller leaves the line, and its place is lost to nobody`() async throws {
        let pool = pool(1)
        let held = try await pool.acquire()
        let first = Task { try await pool.withConnection { _ in } }
        await until { pool.statistics.waiting == 1 }
        let second = Task { try await pool.withConnection { $0.number } }
        await until { pool.statistics.waiting == 2 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(pool.statistics.waiting == 1)
        pool.release(held)
        #expect(try await second.value == 0)
    }

    @Test func `under cancellation of every third, no connection is lost and all others are served`() async throws {
        let pool = pool(4)
        let served = Shared(0)
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<300 {
            let task = Task {
                try await pool.withConnection { _ in await Task.yield() }
                served.change { $0 += 1 }
            }
            tasks.append(task)
            if number % 3 == 0 { task.cancel() }
        }
        for task in tasks { _ = await task.result }
        #expect(served.now >= 200)
        #expect(pool.statistics.busy == 0)
        #expect(pool.statistics.waiting == 0)
    }

    // MARK: A server that is away

    @Test func `a server that refuses three times is left alone, and asked again by one`() async throws {
        let pool = pool(2)
        server.setRefusing(true)
        for _ in 0..<3 { await #expect(throws: TestServer.Refusal.self) { _ = try await pool.acquire() } }
        await #expect(throws: PoolFailure.resting) { _ = try await pool.acquire() }
        #expect(pool.statistics.breaker == "open")
        #expect(pool.lastFailure is TestServer.Refusal, "who comes meanwhile can be told why")
        clock.move(.milliseconds(150))
        await #expect(throws: TestServer.Refusal.self) { _ = try await pool.acquire() }
        await #expect(throws: PoolFailure.resting) { _ = try await pool.acquire() }
        server.setRefusing(false)
        clock.move(.milliseconds(250))
        pool.release(try await pool.acquire())
        #expect(pool.statistics.breaker == "closed")
        #expect(pool.lastFailure == nil)
    }

    // MARK: Closing

    @Test func `closing refuses those who wait, and ends when the last connection came back`() async throws {
        let pool = pool(2)
        let held = try await pool.acquire()
        pool.release(try await pool.acquire())
        let other = try await pool.acquire()
        let waiting = Task { try await pool.withConnection { _ in } }
        await until { pool.statistics.waiting == 1 }
        let hasClosed = Shared(false)
        let closing = Task {
            await pool.close()
            hasClosed.change { $0 = true }
        }
        await #expect(throws: PoolFailure.closed) { try await waiting.value }
        await #expect(throws: PoolFailure.closed) { _ = try await pool.acquire() }
        pool.release(other)
        #expect(!hasClosed.now)
        pool.release(held)
        await closing.value
        await until { server.opened.allSatisfy { $0.timesClosed == 1 } }
        #expect(pool.statistics.open == 0)
    }
}
