import Testing
import VigilModel
import VigilPorts
import VigilServices

/// PINs and names alone work on enrolled panels only.
@Suite struct PanelTests {
    /// A panel that a device has enrolled as; gives its secret.
    private func panel(_ people: People, _ draft: PanelDraft) async throws -> EnrolledPanel {
        let code = try await people.identity.createPanel(draft, by: people.admin)
        return try await people.identity.enrolPanel(code.code, address: "192.0.2.7")
    }

    private func addPIN(_ people: People, _ name: String = "bob", _ pin: String = "4711") async throws {
        var draft = UserDraft(username: name, password: nil, roles: ["operator"])
        draft.authMethod = .pin
        draft.pin = pin
        _ = try await people.identity.createUser(draft, by: people.admin)
    }

    @Test func `a PIN works on an enrolled panel, and nowhere else`() async throws {
        try await withPeople { people in
            try await addPIN(people)
            let hall = try await panel(people, PanelDraft(name: "Hall"))
            let signedIn = try await people.signIn("bob", "4711", panel: hall.secret)
            #expect(try await people.principal(of: signedIn.accessToken).name == "bob")
            #expect(try await refusal { _ = try await people.signIn("bob", "4711") } == "auth.wrong")
            #expect(
                try await refusal { _ = try await people.signIn("bob", "4712", panel: hall.secret) } == "auth.wrong")
            let forged = SecretToken(.panel).text
            #expect(try await refusal { _ = try await people.signIn("bob", "4711", panel: forged) } == "auth.wrong")
            let other = try await panel(people, PanelDraft(name: "Door", allowsPIN: false))
            #expect(
                try await refusal { _ = try await people.signIn("bob", "4711", panel: other.secret) } == "auth.wrong")
        }
    }

    @Test func `a name alone works on a panel that allows it, and never for who is in charge`() async throws {
        try await withPeople { people in
            var draft = UserDraft(username: "kid", password: nil, roles: ["viewer"])
            draft.authMethod = .username
            _ = try await people.identity.createUser(draft, by: people.admin)
            let hall = try await panel(people, PanelDraft(name: "Hall", allowsUsername: true))
            let door = try await panel(people, PanelDraft(name: "Door"))
            _ = try await people.signIn("kid", "", panel: hall.secret)
            #expect(try await refusal { _ = try await people.signIn("kid", "", panel: door.secret) } == "auth.wrong")
            #expect(try await refusal { _ = try await people.signIn("kid", "") } == "auth.wrong")
            draft = UserDraft(username: "boss", password: nil, roles: ["admin"])
            draft.authMethod = .username
            let boss = draft
            #expect(
                try await refusal { _ = try await people.identity.createUser(boss, by: people.admin) }
                    == "user.name_alone")
            #expect(
                try await refusal {
                    try await people.identity.setMethod(of: "ann", MethodDraft(.username), by: people.admin)
                } == "user.name_alone")
        }
    }

    @Test(arguments: ["123", "12345", "12a4", "١٢٣٤", "", "    "])
    func `a PIN has exactly four digits`(_ pin: String) async throws {
        try await withPeople { people in
            let code = try await refusal { try await addPIN(people, "bob", pin) }
            #expect(code == "user.pin")
        }
    }

    @Test func `the installation can ask for longer PINs`() async throws {
        try await withPeople({ $0.pinDigits = 6 }) { people in
            #expect(try await refusal { try await addPIN(people, "bob", "4711") } == "user.pin")
            try await addPIN(people, "bob", "471112")
        }
    }

    @Test func `a PIN cannot be tried out with the database alone`() async throws {
        try await withWorld { world in
            let people = try await People(world)
            try await addPIN(people)
            let hall = try await panel(people, PanelDraft(name: "Hall"))
            // The same database under another installation's key.
            let thief = try await People(world)
            #expect(try await refusal { _ = try await thief.signIn("bob", "4711", panel: hall.secret) } == "auth.wrong")
        }
    }

    @Test func `guessing PINs on a panel is slowed down wherever it connects from`() async throws {
        try await withPeople { people in
            try await addPIN(people)
            let hall = try await panel(people, PanelDraft(name: "Hall"))
            var codes: [String?] = []
            for n in 0..<8 {
                codes.append(
                    try await refusal {
                        _ = try await people.signIn("bob", "000\(n)", panel: hall.secret, from: "198.51.100.\(n)")
                    })
            }
            #expect(codes == Array(repeating: "auth.wrong", count: 5) + Array(repeating: "auth.locked", count: 3))
            // A day of it: a few tens of ten thousand PINs.
            var tried = 0
            for _ in 0..<(24 * 60) {
                people.clock.move(.minutes(1))
                let code = try await refusal { _ = try await people.signIn("bob", "9999", panel: hall.secret) }
                if code == "auth.wrong" { tried += 1 }
            }
            #expect(tried < 40)
        }
    }

    @Test func `a code enrols one device, once, for a quarter of an hour`() async throws {
        try await withPeople { people in
            let identity = people.identity
            let code = try await identity.createPanel(PanelDraft(name: "Hall"), by: people.admin)
            let typed = code.code.lowercased().replacing("-", with: " ")
            let first = try await identity.enrolPanel(typed, address: "192.0.2.7")
            #expect(first.tenant == "acme" && first.name == "Hall")
            #expect(
                try await refusal { _ = try await identity.enrolPanel(code.code, address: "192.0.2.8") } == "panel.code"
            )
            let late = try await identity.newCode(of: code.id, by: people.admin)
            people.clock.move(.minutes(16))
            #expect(
                try await refusal { _ = try await identity.enrolPanel(late.code, address: "192.0.2.9") } == "panel.code"
            )
            // A new device takes the place of the old one.
            try await addPIN(people)
            let again = try await identity.newCode(of: code.id, by: people.admin)
            let second = try await identity.enrolPanel(again.code, address: "192.0.2.10")
            #expect(
                try await refusal { _ = try await people.signIn("bob", "4711", panel: first.secret) } == "auth.wrong")
            _ = try await people.signIn("bob", "4711", panel: second.secret)
            #expect(try await identity.panels(by: people.admin).map(\.isEnrolled) == [true])
        }
    }

    @Test func `codes are not guessed`() async throws {
        try await withPeople { people in
            var codes: Set<String?> = []
            for _ in 0..<12 {
                codes.insert(
                    try await refusal {
                        _ = try await people.identity.enrolPanel("AAAA-BBBB-CCCC", address: "192.0.2.7")
                    })
            }
            #expect(codes == ["panel.code", "panel.rate"])
        }
    }

    @Test func `a panel that is revoked signs everybody out`() async throws {
        try await withPeople { people in
            try await addPIN(people)
            let hall = try await panel(people, PanelDraft(name: "Hall"))
            let session = try await people.signIn("bob", "4711", panel: hall.secret)
            try await people.identity.revokePanel(hall.id, by: people.admin)
            #expect(try await refusal { _ = try await people.principal(of: session.accessToken) } == "auth.invalid")
            #expect(
                try await refusal { _ = try await people.signIn("bob", "4711", panel: hall.secret) } == "auth.wrong")
            #expect(
                try await refusal { try await people.identity.revokePanel(hall.id, by: people.admin) } == "not_found")
        }
    }

    @Test func `how somebody signs in is changed by who is stronger, or by themselves with the present secret`()
        async throws
    {
        try await withPeople { people in
            let identity = people.identity
            try await people.role("clerk", "user:read", "user:update")
            try await people.add("bob", ["clerk"])
            let bob = try await people.principal("bob")
            func set(_ name: String, _ draft: MethodDraft, _ principal: Principal) async throws -> String? {
                try await refusal { try await identity.setMethod(of: name, draft, by: principal) }
            }
            let new = MethodDraft(.password, password: "another horse battery")
            #expect(try await set("ann", new, bob) == "user.stronger")
            #expect(try await set("bob", new, bob) == "auth.wrong_password")
            #expect(try await set("bob", MethodDraft(.pin), people.admin) == "request.invalid")
            var own = new
            own.current = People.password
            #expect(try await set("bob", own, bob) == nil)
            #expect(try await refusal { _ = try await people.signIn("bob") } == "auth.wrong")
            _ = try await people.signIn("bob", "another horse battery")
            #expect(try await set("bob", MethodDraft(.pin, pin: "4711"), people.admin) == nil)
            #expect(try await refusal { _ = try await people.signIn("bob", "another horse battery") } == "auth.wrong")
        }
    }
}
