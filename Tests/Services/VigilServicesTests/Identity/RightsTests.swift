import Testing
import VigilModel
import VigilPorts
import VigilServices

/// Nobody gets more than they have by what they may do to others.
@Suite struct RightsTests {
    @Test(arguments: ["email", "firstName", "roles", "isActive"])
    func `nobody changes somebody who may do more`(_ field: String) async throws {
        try await withPeople { people in
            try await people.role("clerk", "user:read", "user:update", "device:read")
            try await people.role("tiny", "device:read")
            try await people.add("bob", ["clerk"])
            try await people.add("dan", ["tiny"])
            let bob = try await people.principal("bob")
            var patch = UserPatch()
            switch field {
            case "email": patch.email = "bob@example.org"
            case "firstName": patch.firstName = "B"
            case "roles": patch.roles = []
            default: patch.isActive = false
            }
            let wanted = patch
            #expect(
                try await refusal { _ = try await people.identity.updateUser("ann", wanted, version: nil, by: bob) }
                    == "user.stronger")
            #expect(
                try await refusal { _ = try await people.identity.updateUser("dan", wanted, version: nil, by: bob) }
                    == nil)
        }
    }

    @Test func `of people whom another organisation keeps only the membership is changed`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await identity.createLocalTenant("other")
            let other = try await identity.localPrincipal(tenant: "other")
            try await people.add("guest", ["viewer"], by: other)
            _ = try await identity.addLocalMember(tenant: "acme", username: "guest", roles: ["viewer"])
            var patch = UserPatch()
            patch.email = "taken@example.org"
            let address = patch
            #expect(
                try await refusal {
                    _ = try await identity.updateUser("guest", address, version: nil, by: people.admin)
                } == "user.elsewhere")
            patch = UserPatch()
            patch.roles = ["operator"]
            #expect(
                try await identity.updateUser("guest", patch, version: nil, by: people.admin).roles == ["operator"])
            #expect(try await identity.user("guest", by: other).roles == ["viewer"])
        }
    }

    @Test func `an address is not changed by who may do less elsewhere`() async throws {
        try await withPeople { people in
            let identity = people.identity
            try await people.role("clerk", "user:read", "user:update", "device:read")
            try await people.role("tiny", "device:read")
            try await people.add("bob", ["clerk"])
            try await people.add("dan", ["tiny"])
            try await identity.createLocalTenant("other")
            _ = try await identity.addLocalMember(tenant: "other", username: "dan", roles: ["admin"])
            let bob = try await people.principal("bob")
            var patch = UserPatch()
            patch.email = "bob@example.org"
            let wanted = patch
            #expect(
                try await refusal { _ = try await identity.updateUser("dan", wanted, version: nil, by: bob) }
                    == "user.stronger")
        }
    }

    @Test func `who sees a part shows only that part`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let acme = try people.admin.requiredScope()
            let tenant = try #require(acme.tenant)
            for code in ["a", "b"] { try await people.world.device(code, in: tenant) }
            try await people.role("warden", "assignment:update", "device:read")
            try await people.add("bob", ["warden"])
            try await people.add("cleo", ["warden"])
            let part = AssignmentsView(seesAll: false, devices: ["a"])
            _ = try await identity.assign(part, to: "bob", by: people.admin)
            _ = try await identity.assign(AssignmentsView(seesAll: false), to: "cleo", by: people.admin)
            let bob = try await people.principal("bob")
            let wider = AssignmentsView(seesAll: false, devices: ["a", "b"])
            for name in ["bob", "cleo"] {
                #expect(
                    try await refusal { _ = try await identity.assign(wider, to: name, by: bob) } == "request.invalid")
                #expect(
                    try await refusal {
                        _ = try await identity.assign(AssignmentsView(seesAll: true), to: name, by: bob)
                    }
                        == "grant.visibility")
            }
            #expect(try await identity.assign(part, to: "cleo", by: bob) == part)
            // Somebody who sees what is hidden from the caller is nobody's to narrow.
            _ = try await identity.assign(wider, to: "cleo", by: people.admin)
            #expect(
                try await refusal { _ = try await identity.assign(part, to: "cleo", by: bob) } == "user.stronger")
        }
    }

    @Test func `a token makes no token that can do or see more, or lasts longer`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let tenant = try #require(try people.admin.requiredScope().tenant)
            let one = try await people.world.device("a", in: tenant)
            let other = try await people.world.device("b", in: tenant)
            let ann = try await people.principal("ann")
            let end = people.clock.now() + .hours(1)
            let maker = try await identity.createToken(
                TokenDraft(name: "m", permissions: [Permission("device", "read")], devices: [one], expires: end),
                by: ann)
            let narrow = try await people.principal(of: maker.token)
            func make(_ draft: TokenDraft) async throws -> String? {
                try await refusal { _ = try await identity.createToken(draft, by: narrow) }
            }
            #expect(try await make(TokenDraft(name: "x", permissions: [Permission("*", "*")])) == "grant.beyond")
            #expect(try await make(TokenDraft(name: "x", devices: [other])) == "request.invalid")
            #expect(try await make(TokenDraft(name: "x", expires: end + .hours(1))) == "request.invalid")
            let made = try await identity.createToken(TokenDraft(name: "x"), by: narrow)
            let principal = try await people.principal(of: made.token)
            #expect(principal.permissions == [Permission("device", "read")])
            #expect(principal.scope?.visibility == .assigned(devices: [one], locations: []))
            try await identity.revokeToken(maker.id, by: ann)
            #expect(try await refusal { _ = try await people.principal(of: made.token) } == "auth.invalid")
        }
    }

    @Test func `a device's credential ends no other, and is made by who may write readings`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let tenant = try #require(try people.admin.requiredScope().tenant)
            for code in ["a", "b"] { try await people.world.device(code, in: tenant) }
            let first = try await identity.createCredential(of: "a", CredentialDraft(name: "one"), by: people.admin)
            let second = try await identity.createCredential(of: "b", CredentialDraft(name: "two"), by: people.admin)
            let device = try await people.principal(of: first.token)
            #expect(try await refusal { try await identity.revokeToken(second.id, by: device) } == "not_found")
            try await people.role("maker", "token:create")
            try await people.add("bob", ["maker"])
            let bob = try await people.principal("bob")
            #expect(
                try await refusal {
                    _ = try await identity.createCredential(of: "a", CredentialDraft(name: "x"), by: bob)
                } == "grant.beyond")
            let turned = try await identity.rotateCredential(first.id, of: "a", by: people.admin)
            #expect(try await refusal { _ = try await people.principal(of: first.token) } == "auth.invalid")
            _ = try await people.principal(of: turned.token)
            #expect(try await identity.credentials(of: "a", by: people.admin).map(\.name) == ["one"])
            #expect(
                try await refusal { try await identity.revokeCredential(second.id, of: "a", by: people.admin) }
                    == "not_found")
        }
    }

    @Test func `nobody signs in by somebody else's address`() async throws {
        try await withPeople { people in
            try await people.add("bob", ["viewer"], email: "bob@example.org")
            #expect(try await refusal { try await people.add("BOB@example.org", ["viewer"]) } == "user.name_taken")
            #expect(
                try await refusal { try await people.add("dan", ["viewer"], email: "Bob@example.org") }
                    == "user.email_taken")
        }
    }

    @Test func `tenants take as many statements for thirty clients as for three`() async throws {
        try await withPeople { people in
            let identity = people.identity
            var patch = TenantPatch()
            patch.kind = "provider"
            _ = try await identity.updateTenant("acme", patch, version: nil, by: people.admin)
            for n in 0..<30 { _ = try await identity.createClient(TenantDraft(code: "client-\(n)"), by: people.admin) }
            try await people.add("staff", ["provider"])
            let ann = try await people.principal("ann")
            #expect(try await identity.tenants(page: PageRequest(limit: 500), by: ann).items.count == 31)
            _ = try await identity.assign(
                AssignmentsView(seesAll: false, clients: ["client-3", "client-7"]), to: "staff", by: people.admin)
            let staff = try await people.principal("staff")
            #expect(
                try await identity.tenants(page: .first, by: staff).items.map(\.code) == [
                    "acme", "client-3", "client-7",
                ])
            var name = TenantPatch()
            name.name = "Other"
            let wanted = name
            #expect(
                try await refusal { _ = try await identity.updateTenant("client-4", wanted, version: nil, by: staff) }
                    == "not_found")
            #expect(
                try await refusal { _ = try await identity.updateTenant("client-3", wanted, version: 9, by: staff) }
                    == "tenant.stale")
            #expect(try await identity.updateTenant("client-3", wanted, version: 1, by: staff).name == "Other")
        }
    }

    @Test func `the last administrator stays, and where there is none everybody can be changed`() async throws {
        try await withPeople { people in
            let identity = people.identity
            var roles = UserPatch()
            roles.roles = ["viewer"]
            let wanted = roles
            #expect(
                try await refusal { _ = try await identity.updateUser("ann", wanted, version: nil, by: people.admin) }
                    == "user.last_admin")
            try await identity.createLocalTenant("client")
            let client = try await identity.localPrincipal(tenant: "client")
            try await people.add("cleo", ["viewer"], by: client)
            var name = UserPatch()
            name.firstName = "Cleo"
            #expect(try await identity.updateUser("cleo", name, version: nil, by: client).firstName == "Cleo")
        }
    }
}
