import Testing
import VigilModel
import VigilPorts
import VigilServices

/// Sessions begin, are refreshed, and end.
@Suite struct SessionTests {
    @Test func `a refresh token works once, and showing it again ends the session`() async throws {
        try await withPeople { people in
            let first = try await people.signIn("ann")
            let old = try #require(first.refreshToken)
            let second = try await people.identity.refresh(old, address: "192.0.2.1")
            #expect(second.session == first.session)
            #expect(try await refusal { _ = try await people.principal(of: first.accessToken) } == "auth.invalid")
            _ = try await people.principal(of: second.accessToken)
            #expect(
                try await refusal { _ = try await people.identity.refresh(old, address: "198.51.100.1") }
                    == "auth.reused")
            #expect(try await refusal { _ = try await people.principal(of: second.accessToken) } == "auth.invalid")
            let latest = try #require(second.refreshToken)
            #expect(
                try await refusal { _ = try await people.identity.refresh(latest, address: "192.0.2.1") }
                    == "auth.invalid")
            let trail = try await AuditList(stores: people.world.stores)
                .entries(AuditList.Filter(), .first, in: people.admin.requiredScope())
            #expect(trail.items.contains { $0.action == "refresh_reused" && $0.address == "198.51.100.1" })
        }
    }

    @Test func `an access token ends, and a refresh goes on`() async throws {
        try await withPeople { people in
            let first = try await people.signIn("ann")
            people.clock.move(.minutes(31))
            #expect(try await refusal { _ = try await people.principal(of: first.accessToken) } == "auth.expired")
            let second = try await people.identity.refresh(try #require(first.refreshToken), address: "192.0.2.1")
            _ = try await people.principal(of: second.accessToken)
        }
    }

    @Test func `who listens is let go when the access token ends`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let hub = LiveHub(stores: people.world.stores, clock: people.clock) { try await identity.current($0) }
            let session = try await hub.open(people.principal("ann"))
            await hub.recheckAll()
            #expect(await hub.count == 1)
            people.clock.move(.minutes(31))
            await hub.recheckAll()
            #expect(await hub.count == 0)
            #expect(await session.deliveries.first { _ in true } == .end(.revoked))
        }
    }

    @Test func `who listens hears by the role that they have now`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let hub = LiveHub(stores: people.world.stores, clock: people.clock) { try await identity.current($0) }
            try await people.role("night", "alert:read")
            try await people.add("bob", ["night"])
            _ = try await hub.open(people.principal("bob"))
            try await people.role("nothing", "nothing:read")
            var patch = UserPatch()
            patch.roles = ["nothing"]
            _ = try await identity.updateUser("bob", patch, version: nil, by: people.admin)
            await hub.recheckAll()
            #expect(await hub.count == 1)
            patch = UserPatch()
            patch.isActive = false
            _ = try await identity.updateUser("bob", patch, version: nil, by: people.admin)
            await hub.recheckAll()
            #expect(await hub.count == 0)
        }
    }

    @Test func `a browser that is used stays signed in over a restart`() async throws {
        try await withWorld { world in
            let before = try await People(world)
            let cookie = try await before.signIn("ann", kind: .browser).accessToken
            func use(_ people: People) async throws {
                _ = try await people.identity.principal(for: .cookie(cookie), remoteAddress: "192.0.2.1")
            }
            for _ in 0..<3 {
                before.clock.move(.hours(20))
                try await use(before)
            }
            try await before.identity.writeUses()
            let after = try await People(world, key: before.key)
            after.clock.move(.hours(20))
            try await use(after)
            after.clock.move(.hours(25))
            #expect(try await refusal { try await use(after) } == "auth.expired")
        }
    }

    @Test func `an administrator sees and ends the sessions of others, and nobody those of somebody stronger`()
        async throws
    {
        try await withPeople { people in
            try await people.role("desk", "session:read", "session:revoke")
            try await people.add("bob", ["desk"])
            let session = try await people.signIn("ann")
            let bob = try await people.principal("bob")
            let identity = people.identity
            #expect(try await identity.sessions(of: "ann", page: .first, by: bob).items.map(\.id) == [session.session])
            #expect(try await refusal { _ = try await identity.revokeSessions(of: "ann", by: bob) } == "user.stronger")
            #expect(try await refusal { try await identity.revokeSession(session.session, by: bob) } == "user.stronger")
            #expect(try await identity.revokeSessions(of: "bob", by: people.admin) == 1)
            #expect(
                try await refusal {
                    _ = try await identity.sessions(
                        of: nil, page: .first, by: people.principal(of: session.accessToken))
                } == nil)
            #expect(try await identity.sessions(of: "bob", page: .first, by: people.admin).items.isEmpty)
        }
    }

    @Test func `what has ended is removed after a week`() async throws {
        try await withPeople { people in
            _ = try await people.signIn("ann")
            people.clock.move(.days(40))
            try await people.identity.prune()
            let left: Int = try await people.world.stores.relational.read(in: people.world.scope) { transaction in
                try transaction.rows("SELECT count(*) AS n FROM sessions")[0].get("n")
            }
            #expect(left == 0)
        }
    }
}
