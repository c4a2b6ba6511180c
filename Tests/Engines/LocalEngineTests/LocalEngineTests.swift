import LocalEngine
import ManualClock
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@Suite struct LocalEngineTests {
    private func subject<Store>(_ make: (ManualClock) -> Store) -> TimedSubject<Store> {
        let clock = ManualClock()
        return TimedSubject(make(clock)) { clock.advance($0) }
    }

    @Test(arguments: CacheContract.clauses)
    func `the cache keeps its contract`(clause: CacheContract.Clause) async throws {
        let subject: TimedSubject<any Cache> = subject { LocalCache(clock: $0) }
        try await ContractReport.shared.check(clause, port: "cache", store: "local", subject)
    }

    @Test(arguments: LocksContract.clauses)
    func `locks keep their contract`(clause: LocksContract.Clause) async throws {
        let subject: TimedSubject<any Locks> = subject { LocalLocks(clock: $0) }
        try await ContractReport.shared.check(clause, port: "locks", store: "local", subject)
    }

    @Test(arguments: RateLimitsContract.clauses)
    func `rate limits keep their contract`(clause: RateLimitsContract.Clause) async throws {
        let subject: TimedSubject<any RateLimits> = subject { LocalRateLimits(clock: $0) }
        try await ContractReport.shared.check(clause, port: "limits", store: "local", subject)
    }

    @Test(arguments: BusContract.clauses)
    func `the bus keeps its contract`(clause: BusContract.Clause) async throws {
        try await ContractReport.shared.check(clause, port: "bus", store: "local", LocalBus())
    }

    @Test func `a full cache drops what nobody asked for, and keeps what somebody did`() async throws {
        let cache = LocalCache(clock: ManualClock(), byteLimit: 100_000)
        let value = [UInt8](repeating: 1, count: 1000)
        try await cache.set("wanted", to: value, for: .hours(1))
        for number in 0..<1000 {
            try await cache.set("key \(number)", to: value, for: .hours(1))
            #expect(try await cache.value(of: "wanted") != nil)
        }
        #expect(try await cache.value(of: "key 0") == nil)
        #expect(try await cache.value(of: "key 999") != nil)
        let failure = await #expect(throws: StoreError.self) {
            try await cache.set("large", to: [UInt8](repeating: 1, count: 50_000), for: .hours(1))
        }
        #expect(failure?.code == .limit)
    }

    @Test func `locks and rates are refused rather than kept without end`() async throws {
        let clock = ManualClock()
        let locks = LocalLocks(clock: clock, limit: 2)
        _ = try await locks.acquire("a", for: .seconds(Int64(1)))
        _ = try await locks.acquire("b", for: .seconds(Int64(1)))
        let refused = await #expect(throws: StoreError.self) { try await locks.acquire("c", for: .seconds(Int64(1))) }
        #expect(refused?.code == .limit)
        clock.advance(.seconds(Int64(2)))
        #expect(try await locks.acquire("c", for: .seconds(Int64(1))) != nil)
        let limits = LocalRateLimits(clock: clock, memoryLimit: 10)
        for _ in 0..<10 { _ = try await limits.admit("k", limit: 100, per: .seconds(Int64(1))) }
        let full = await #expect(throws: StoreError.self) {
            try await limits.admit("k", limit: 100, per: .seconds(Int64(1)))
        }
        #expect(full?.code == .limit)
        clock.advance(.seconds(Int64(2)))
        #expect(try await limits.admit("k", limit: 100, per: .seconds(Int64(1))).isAllowed)
    }

    @Test func `a subscriber that goes away makes room for the next`() async throws {
        let bus = LocalBus(subscriberLimit: 1)
        for _ in 0..<3 {
            let task = Task { for await _ in try await bus.subscribe("t", buffer: 1) {} }
            task.cancel()
            _ = try? await task.value
        }
        _ = try await bus.subscribe("t", buffer: 1)
    }
}
