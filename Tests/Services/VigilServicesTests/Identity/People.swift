import LocalEngine
import TemporaryFolders
import VigilModel
import VigilPorts
import VigilServices

/// Letters that a test reads.
actor Letters: MailDelivery {
    private(set) var all: [MailMessage] = []
    private var isAway = false

    func send(_ message: MailMessage) async throws(StoreError) {
        if isAway { throw StoreError(.unavailable, "The mail is away") }
        all.append(message)
    }

    func takeAway() { isAway = true }

    /// The secrets of one kind in all letters, in order.
    func secrets(_ kind: SecretToken.Kind) -> [String] {
        all.compactMap { letter in
            letter.text.firstRange(of: kind.rawValue).map { String(letter.text[$0.lowerBound...].prefix(46)) }
        }
    }
}

/// The people of a world: a tenant `acme` with an administrator `ann`.
final class People: Sendable {
    static let password = "correct horse battery"

    let world: World
    let key: MasterKey
    let identity: IdentityService
    let letters = Letters()
    let admin: Principal

    var clock: HandClock { world.clock }

    init(_ world: World, key: MasterKey = .random(), adjust: (inout IdentitySettings) -> Void = { _ in }) async throws {
        self.world = world
        self.key = key
        var settings = IdentitySettings()
        settings.passwordCost = .quickForTests
        settings.publicAddress = "https://vigil.example"
        adjust(&settings)
        identity = IdentityService(
            stores: world.stores, clock: world.clock, key: key, settings: settings, mail: letters)
        if try await !identity.hasUsers() {
            _ = try await identity.createLocalUser(
                LocalUserDraft(tenant: "acme", username: "ann", password: Self.password, roles: nil))
        }
        admin = try await identity.localPrincipal(tenant: "acme")
    }

    /// Makes a user and signs them in.
    @discardableResult
    func add(_ name: String, _ roles: [String], by maker: Principal? = nil, email: String? = nil) async throws
        -> UserView
    {
        try await identity.createUser(
            UserDraft(username: name, password: Self.password, roles: roles, email: email), by: maker ?? admin)
    }

    func role(_ code: String, _ permissions: String...) async throws {
        _ = try await identity.createRole(
            RoleDraft(code: code, name: code, permissions: permissions.compactMap { Permission($0) }), by: admin)
    }

    func signIn(
        _ name: String, _ secret: String = People.password, panel: String? = nil, tenant: String? = nil,
        kind: SignInRequest.SessionKind = .api, from address: String = "192.0.2.1"
    ) async throws -> SignedIn {
        try await identity.signIn(
            SignInRequest(name: name, secret: secret, panel: panel, tenant: tenant, kind: kind, address: address))
    }

    /// Who somebody is when they have signed in.
    func principal(_ name: String, tenant: String? = nil) async throws -> Principal {
        let signedIn = try await signIn(name, tenant: tenant)
        return try await principal(of: signedIn.accessToken)
    }

    func principal(of secret: String) async throws -> Principal {
        try await identity.principal(for: .bearer(secret), remoteAddress: "192.0.2.1")
    }
}

/// Runs `body` with people in a world of their own.
func withPeople(
    _ adjust: (inout IdentitySettings) -> Void = { _ in }, _ body: (People) async throws -> Void
) async throws {
    try await withWorld { world in try await body(People(world, adjust: adjust)) }
}

/// The code of the refusal of `body`; `nil` when it was not refused.
func refusal(_ body: () async throws -> Void) async throws -> String? {
    do {
        try await body()
        return nil
    } catch let error as ServiceError {
        return error.code
    }
}
