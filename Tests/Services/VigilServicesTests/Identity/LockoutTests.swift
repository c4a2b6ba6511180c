import Testing
import VigilModel
import VigilPorts
import VigilServices

/// Guessing is slowed down, per account and address, and nobody is locked out by others.
@Suite struct LockoutTests {
    private func attempt(_ people: People, _ name: String, _ secret: String, from address: String) async throws
        -> (code: String?, wait: Span?)
    {
        while true {
            do {
                _ = try await people.signIn(name, secret, from: address)
                return (nil, nil)
            } catch let error as ServiceError {
                return (error.code, error.retryAfter)
            } catch let error as StoreError where error.code == .contention {
                // On a server the transactions of other worlds may stand in the way of all ten tries.
                continue
            }
        }
    }

    @Test func `five failures are free, then the delay doubles with each one`() async throws {
        try await withPeople { people in
            for _ in 0..<4 {
                #expect(try await attempt(people, "ann", "wrong", from: "192.0.2.9").code == "auth.wrong")
            }
            var expected = Span.seconds(30)
            for _ in 0..<4 {
                #expect(try await attempt(people, "ann", "wrong", from: "192.0.2.9").code == "auth.wrong")
                let refused = try await attempt(people, "ann", People.password, from: "192.0.2.9")
                #expect(refused.code == "auth.locked")
                #expect(refused.wait == expected)
                people.clock.move(expected)
                expected = Span(microseconds: expected.microseconds * 2)
            }
            // The right password counts again when the delay is over, and forgets what went before.
            #expect(try await attempt(people, "ann", People.password, from: "192.0.2.9").code == nil)
            #expect(try await attempt(people, "ann", "wrong", from: "192.0.2.9").code == "auth.wrong")
            #expect(try await attempt(people, "ann", People.password, from: "192.0.2.9").code == nil)
        }
    }

    @Test func `a delay is never longer than an hour`() async throws {
        try await withPeople { people in
            var longest = Span.seconds(0)
            for _ in 0..<30 {
                let refused = try await attempt(people, "ann", "wrong", from: "192.0.2.9")
                if let wait = refused.wait {
                    longest = max(longest, wait)
                    people.clock.move(wait)
                }
            }
            #expect(longest == .hours(1))
        }
    }

    @Test func `who guesses at one address locks nobody out at another`() async throws {
        try await withPeople { people in
            for n in 0..<200 {
                _ = try await attempt(people, "ann", "wrong", from: "198.51.\(n % 100).\(n)")
            }
            #expect(try await attempt(people, "ann", People.password, from: "192.0.2.1").code == nil)
        }
    }

    @Test func `one address that tries many accounts is slowed down too`() async throws {
        try await withPeople { people in
            var codes: [String?] = []
            for n in 0..<60 { codes.append(try await attempt(people, "name\(n)", "wrong", from: "192.0.2.9").code) }
            #expect(codes.filter { $0 == "auth.locked" }.count >= 9)
            #expect(try await attempt(people, "ann", People.password, from: "192.0.2.1").code == nil)
        }
    }

    @Test func `an address of version 6 counts by its network`() async throws {
        try await withPeople { people in
            for n in 0..<5 { _ = try await attempt(people, "ann", "wrong", from: "2001:db8::\(n + 1)") }
            #expect(try await attempt(people, "ann", People.password, from: "2001:db8::ffff").code == "auth.locked")
            #expect(try await attempt(people, "ann", People.password, from: "2001:db8:0:1::1").code == nil)
        }
    }

    @Test func `a restart gives nobody fresh attempts`() async throws {
        try await withWorld { world in
            let before = try await People(world)
            for _ in 0..<5 { _ = try await attempt(before, "ann", "wrong", from: "192.0.2.9") }
            let after = try await People(world, key: before.key)
            #expect(try await attempt(after, "ann", People.password, from: "192.0.2.9").code == "auth.locked")
        }
    }

    @Test func `ten thousand wrong passwords get nowhere, and the owner still signs in`() async throws {
        try await withPeople { people in
            var tried = 0
            for n in 0..<10_000 {
                if try await attempt(people, "ann", "guess \(n)", from: "192.0.2.9").code == "auth.wrong" { tried += 1 }
                people.clock.move(.milliseconds(100))
            }
            // A thousand seconds: five for nothing, then 30, 60, 120 … seconds apart.
            #expect(tried <= 11)
            #expect(try await attempt(people, "ann", People.password, from: "192.0.2.1").code == nil)
        }
    }

    @Test func `attempts at once are counted before they are looked at`() async throws {
        try await withPeople({
            $0.hashesWaiting = 100
            $0.hashesPerAddress = 100
        }) { people in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for n in 0..<40 {
                    group.addTask { try await attempt(people, "ann", "guess \(n)", from: "192.0.2.9").code }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(codes.filter { $0 == "auth.wrong" }.count == 5)
        }
    }

    @Test func `too many at once are refused before any hashing`() async throws {
        try await withPeople({ $0.hashesWaiting = 0 }) { people in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for n in 0..<20 {
                    group.addTask { try await attempt(people, "ann\(n)", "guess", from: "192.0.2.\(n)").code }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(codes.contains("auth.busy"))
        }
    }

    @Test func `who would wait too long for a hash is refused before it, under whatever name`() async throws {
        let change: (inout IdentitySettings) -> Void = {
            $0.hashesWaiting = 1_000
            $0.hashWaitMax = .milliseconds(1)
            $0.passwordCost = IdentitySettings.PasswordCost(rounds: 1 << 12, parallelism: 1)
        }
        try await withPeople(change) { people in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for n in 0..<20 {
                    group.addTask { try await attempt(people, "name\(n)", "guess", from: "192.0.2.\(n)").code }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(codes.contains("auth.busy"))
            #expect(codes.contains("auth.wrong"))
        }
    }
}
