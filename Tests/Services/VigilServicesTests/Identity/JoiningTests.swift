import Testing
import VigilModel
import VigilPorts
import VigilServices

/// People come in by invitation, act in several tenants, and leave.
@Suite struct JoiningTests {
    private func accept(
        _ people: People, _ token: String, _ name: String? = nil, as principal: Principal = .anonymous
    ) async throws -> UserView {
        try await people.identity.accept(
            AcceptanceDraft(token: token, username: name, password: name.map { _ in People.password }),
            by: principal, address: "192.0.2.3")
    }

    @Test func `who is invited makes an account, once`() async throws {
        try await withPeople { people in
            let ann = try await people.principal("ann")
            let draft = InvitationDraft(email: "bob@example.org", roles: ["operator"], seesOnlyAssigned: true)
            let invitation = try await people.identity.invite(draft, by: ann)
            #expect(await people.letters.secrets(.invitation) == [invitation.token])
            let bob = try await accept(people, invitation.token, "bob")
            #expect(bob.roles == ["operator"] && !bob.seesAll && bob.email == "bob@example.org")
            #expect(try await refusal { _ = try await accept(people, invitation.token, "dan") } == "invitation.invalid")
            _ = try await people.signIn("bob")
        }
    }

    @Test func `who has an account joins with it, and switches between tenants`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await identity.createLocalTenant("other")
            let other = try await identity.localPrincipal(tenant: "other")
            let invitation = try await identity.invite(InvitationDraft(roles: ["viewer"]), by: other)
            let ann = try await people.principal("ann")
            _ = try await accept(people, invitation.token, as: ann)
            #expect(try await identity.tenants(page: .first, by: ann).items.map(\.code) == ["acme", "other"])
            let account = try await identity.switchTenant(to: "other", by: ann)
            #expect(account.tenantCode == "other")
            #expect(account.permissions == BuiltInRole.viewer.permissions)
            try await identity.createLocalTenant("third")
            #expect(
                try await refusal { _ = try await identity.switchTenant(to: "third", by: ann) } == "not_found")
        }
    }

    @Test func `a socket does not follow its session to another tenant`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await identity.createLocalTenant("other")
            _ = try await identity.addLocalMember(tenant: "other", username: "ann", roles: ["viewer"])
            let hub = LiveHub(stores: people.world.stores, clock: people.clock) { try await identity.current($0) }
            let ann = try await people.principal("ann")
            _ = try await hub.open(ann)
            _ = try await identity.switchTenant(to: "other", by: ann)
            await hub.recheckAll()
            #expect(await hub.count == 0)
        }
    }

    @Test func `what the one who invited may give when it is accepted bounds the roles`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await people.add("bob", ["admin"])
            let bob = try await people.principal("bob")
            let invitation = try await identity.invite(InvitationDraft(roles: ["admin"]), by: bob)
            try await people.role("host", "user:create")
            var patch = UserPatch()
            patch.roles = ["host"]
            _ = try await identity.updateUser("bob", patch, version: nil, by: people.admin)
            #expect(try await refusal { _ = try await accept(people, invitation.token, "eve") } == "grant.beyond")
            try await identity.removeUser("bob", by: people.admin)
            #expect(try await refusal { _ = try await accept(people, invitation.token, "eve") } == "invitation.invalid")
        }
    }

    @Test func `nobody invites to more than they hold`() async throws {
        try await withPeople { people in
            try await people.role("host", "user:create", "device:read")
            try await people.add("bob", ["host"])
            let bob = try await people.principal("bob")
            #expect(
                try await refusal { _ = try await people.identity.invite(InvitationDraft(roles: ["admin"]), by: bob) }
                    == "grant.beyond")
        }
    }

    @Test func `an invitation that is taken back or too old lets nobody in`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let first = try await identity.invite(InvitationDraft(), by: people.admin)
            try await identity.withdrawInvitation(first.id, by: people.admin)
            #expect(try await refusal { _ = try await accept(people, first.token, "bob") } == "invitation.invalid")
            let second = try await identity.invite(InvitationDraft(), by: people.admin)
            #expect(try await identity.invitations(by: people.admin).count == 1)
            people.clock.move(.days(8))
            #expect(try await refusal { _ = try await accept(people, second.token, "bob") } == "invitation.invalid")
            #expect(try await identity.invitations(by: people.admin).isEmpty)
        }
    }

    @Test func `an account that is deleted is signed out, and its name is free`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await people.add("bob", ["operator"], email: "bob@example.org")
            let bob = try await people.principal("bob")
            let token = try await identity.createToken(TokenDraft(name: "t"), by: bob)
            let session = try await people.signIn("bob")
            let view = try await identity.user("bob", by: people.admin)
            try await identity.removeUser("bob", by: people.admin)
            for secret in [token.token, session.accessToken] {
                #expect(try await refusal { _ = try await people.principal(of: secret) } == "auth.invalid")
            }
            #expect(try await refusal { _ = try await people.signIn("bob") } == "auth.wrong")
            #expect(try await refusal { _ = try await identity.user("bob", by: people.admin) } == "not_found")
            let again = try await people.add("bob", ["viewer"], email: "bob@example.org")
            #expect(again.id != view.id)
            var filter = AuditList.Filter()
            filter.resourceID = view.id.description
            let trail = try await AuditList(stores: people.world.stores)
                .entries(filter, .first, in: people.admin.requiredScope())
            #expect(trail.items.map(\.action).contains("delete") && trail.items.map(\.action).contains("create"))
        }
    }

    @Test func `of a guest only the membership ends`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await identity.createLocalTenant("other")
            let other = try await identity.localPrincipal(tenant: "other")
            try await people.add("guest", ["viewer"], by: other)
            _ = try await identity.addLocalMember(tenant: "acme", username: "guest", roles: ["viewer"])
            let here = try await people.signIn("guest", tenant: "acme")
            let home = try await people.signIn("guest", tenant: "other")
            try await identity.removeUser("guest", by: people.admin)
            #expect(try await refusal { _ = try await people.principal(of: here.accessToken) } == "auth.invalid")
            _ = try await people.principal(of: home.accessToken)
        }
    }

    @Test func `nobody deletes themselves, somebody stronger, or the last administrator`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let ann = try await people.principal("ann")
            #expect(try await refusal { try await identity.removeUser("ann", by: ann) } == "user.self")
            #expect(try await refusal { try await identity.removeUser("ann", by: people.admin) } == "user.last_admin")
            try await people.role("clerk", "user:read", "user:delete")
            try await people.add("bob", ["clerk"])
            let bob = try await people.principal("bob")
            #expect(try await refusal { try await identity.removeUser("ann", by: bob) } == "user.stronger")
        }
    }
}
