import Testing
import VigilModel
import VigilPorts
import VigilServices

/// A forgotten password is replaced by a link, once.
@Suite struct ResetTests {
    private func ask(_ people: People, _ name: String, from address: String = "192.0.2.1") async throws {
        try await people.identity.requestPasswordReset(of: name, address: address)
        while try await people.identity.sendNextReset() {}
    }

    private func set(_ people: People, _ secret: String) async throws -> String? {
        try await refusal {
            try await people.identity.resetPassword(secret, new: "another horse battery", address: "192.0.2.1")
        }
    }

    @Test func `a link works once, ends all sessions, and makes the other links void`() async throws {
        try await withPeople { people in
            try await people.add("bob", ["viewer"], email: "bob@example.org")
            let session = try await people.signIn("bob")
            try await ask(people, "bob")
            try await ask(people, "Bob@Example.org")
            let links = await people.letters.secrets(.reset)
            #expect(links.count == 2)
            #expect(await people.letters.all.allSatisfy { $0.to == "bob@example.org" })
            #expect(try await set(people, links[1]) == nil)
            #expect(try await set(people, links[1]) == "auth.reset")
            #expect(try await set(people, links[0]) == "auth.reset")
            #expect(try await refusal { _ = try await people.principal(of: session.accessToken) } == "auth.invalid")
            #expect(try await refusal { _ = try await people.signIn("bob") } == "auth.wrong")
            _ = try await people.signIn("bob", "another horse battery")
        }
    }

    @Test func `a link ends after an hour`() async throws {
        try await withPeople { people in
            try await people.add("bob", ["viewer"], email: "bob@example.org")
            try await ask(people, "bob")
            people.clock.move(.minutes(61))
            let link = try #require(await people.letters.secrets(.reset).first)
            #expect(try await set(people, link) == "auth.reset")
        }
    }

    @Test func `nobody is told who is there, and nobody is flooded`() async throws {
        try await withPeople { people in
            try await people.add("bob", ["viewer"], email: "bob@example.org")
            for n in 0..<10 { try await ask(people, "bob", from: "198.51.100.\(n)") }
            #expect(await people.letters.all.count == 3)
            for name in ["nobody", "nobody@example.org", "ann"] { try await ask(people, name) }
            #expect(await people.letters.all.count == 3)
            var codes: Set<String?> = []
            for n in 0..<30 { codes.insert(try await refusal { try await ask(people, "x\(n)", from: "203.0.113.1") }) }
            #expect(codes == [nil, "auth.reset_rate"])
        }
    }

    @Test func `an account that is not active has no link, and its link does not work`() async throws {
        try await withPeople { people in
            let bob = try await people.add("bob", ["viewer"], email: "bob@example.org")
            try await ask(people, "bob")
            try await people.world.stores.relational.write(in: SystemScope.allTenants("test")) { transaction in
                try transaction.execute("UPDATE users SET is_active = \(false) WHERE id = \(bob.id)")
                return ()
            }
            let link = try #require(await people.letters.secrets(.reset).first)
            #expect(try await set(people, link) == "auth.reset")
            try await ask(people, "bob")
            #expect(await people.letters.all.count == 1)
        }
    }

    @Test func `a secret that is none costs no hashing`() async throws {
        // No place to hash in: whoever is refused for the secret was refused before.
        try await withPeople({ $0.hashesWaiting = 0 }) { people in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<50 { group.addTask { try await set(people, SecretToken(.reset).text) } }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(codes == ["auth.reset"])
        }
    }

    @Test func `the command line hands a link over`() async throws {
        try await withPeople { people in
            let link = try await people.identity.createLocalReset(tenant: "acme", username: "ann")
            #expect(try await set(people, link.token) == nil)
            _ = try await people.signIn("ann", "another horse battery")
        }
    }

    @Test func `a letter that cannot be sent is no fault of who asked`() async throws {
        try await withPeople { people in
            try await people.add("bob", ["viewer"], email: "bob@example.org")
            await people.letters.takeAway()
            try await people.identity.requestPasswordReset(of: "bob", address: "192.0.2.1")
            await #expect(throws: StoreError.self) { try await people.identity.sendNextReset() }
            let isWaiting = try await people.identity.sendNextReset()
            #expect(!isWaiting)
        }
    }
}
