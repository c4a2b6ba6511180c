import HTTPTypes
import VigilModel
package import VigilServices

/// Users, sessions, tokens, and what the command line does with them.
package enum PeopleRoutes {
    /// - Parameter address: Where people reach this process, once it listens.
    package static func all(
        _ identity: IdentityService, address: @escaping @Sendable () -> String? = { nil }
    ) -> [Endpoint] {
        users(identity) + sessions(identity) + tokens(identity) + credentials(identity) + local(identity, address)
            + RoleRoutes.all(identity) + JoiningRoutes.all(identity)
    }

    static let paging: [Endpoint.Parameter] = [
        .init("cursor", "Where the page begins."), .init("limit", "At most 500; 50 when absent."),
    ]

    static func page(of request: Request) throws -> PageRequest {
        try PageRequest(limit: request.queryValue("limit", as: Int.self), cursor: request.queryValue("cursor"))
    }

    private static func users(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/users", "The members of the tenant, by name.", tag: "people", access: .permission("user", "read"),
                parameters: [.init("search", "A part of the user name.")] + paging, answers: Page<UserView>.self
            ) { request in
                let users = try await identity.users(
                    search: request.queryValue("search"), page: page(of: request), by: request.principal)
                return Page(items: users.items, next: users.next?.text)
            },
            .get(
                "/api/users/{user}", "A member, by identifier or user name.", tag: "people",
                access: .permission("user", "read"), answers: UserView.self
            ) { request in
                try await identity.user(request.pathValue("user"), by: request.principal)
            },
            .send(
                .post, "/api/users", "Makes a user.", tag: "people", access: .permission("user", "create"),
                body: UserDraft.self, answers: UserView.self, status: .created
            ) { request, draft in
                try await identity.createUser(draft, by: request.principal)
            },
            .send(
                .patch, "/api/users/{user}", "Changes a member; If-Match guards against somebody else's change.",
                tag: "people", access: .permission("user", "update"), body: UserPatch.self, answers: UserView.self
            ) { request, patch in
                try await identity.updateUser(
                    request.pathValue("user"), patch, version: try request.expectedVersion(), by: request.principal)
            },
            .silent(
                .delete, "/api/users/{user}",
                "Deletes an account that this tenant keeps; of another's account ends the membership.", tag: "people",
                access: .permission("user", "delete")
            ) { request in
                try await identity.removeUser(request.pathValue("user"), by: request.principal)
            },
        ]
    }

    /// How many were ended.
    package struct EndedView: Codable, Sendable {
        package var ended: Int
    }

    private static func sessions(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/users/{user}/sessions", "The open sessions of a member in this tenant, the latest first.",
                tag: "people", access: .permission("session", "read"), parameters: paging,
                answers: Page<SessionView>.self
            ) { request in
                let sessions = try await identity.sessions(
                    of: request.pathValue("user"), page: page(of: request), by: request.principal)
                return Page(items: sessions.items, next: sessions.next?.text)
            },
            .perform(
                .delete, "/api/users/{user}/sessions", "Ends all sessions of a member; their live sockets close.",
                tag: "people", access: .permission("session", "revoke"), answers: EndedView.self
            ) { request in
                EndedView(
                    ended: try await identity.revokeSessions(of: request.pathValue("user"), by: request.principal))
            },
            .get(
                "/api/sessions", "One's open sessions, the latest first.", tag: "people", access: .signedIn,
                parameters: paging, answers: Page<SessionView>.self
            ) { request in
                let sessions = try await identity.sessions(of: nil, page: page(of: request), by: request.principal)
                return Page(items: sessions.items, next: sessions.next?.text)
            },
            .silent(
                .delete, "/api/sessions/{session}", "Ends a session; its live sockets close.", tag: "people",
                access: .signedIn
            ) { request in
                guard let id = SessionID(request.pathValue("session")) else { throw ServiceError.notFound("session") }
                try await identity.revokeSession(id, by: request.principal)
            },
        ]
    }

    private static func tokens(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/tokens", "One's API tokens, the newest first, without their secrets.", tag: "people",
                access: .signedIn, parameters: paging, answers: Page<TokenView>.self
            ) { request in
                let tokens = try await identity.tokens(page: page(of: request), by: request.principal)
                return Page(items: tokens.items, next: tokens.next?.text)
            },
            .send(
                .post, "/api/tokens", "Makes an API token; its secret is in this answer only.", tag: "people",
                access: .signedIn, body: TokenDraft.self, answers: NewToken.self, status: .created
            ) { request, draft in
                try await identity.createToken(draft, by: request.principal)
            }.answeringSecret(),
            .silent(.delete, "/api/tokens/{token}", "Revokes a token.", tag: "people", access: .signedIn) { request in
                guard let id = TokenID(request.pathValue("token")) else { throw ServiceError.notFound("token") }
                try await identity.revokeToken(id, by: request.principal)
            },
        ]
    }

    private static func credentials(_ identity: IdentityService) -> [Endpoint] {
        @Sendable func credential(_ request: Request) throws -> TokenID {
            guard let id = TokenID(request.pathValue("token")) else { throw ServiceError.notFound("credential") }
            return id
        }
        return [
            .get(
                "/api/devices/{device}/credentials", "The device's credentials, without their secrets.", tag: "people",
                access: .permission("token", "read"), answers: Page<TokenView>.self
            ) { request in
                Page(
                    items: try await identity.credentials(of: request.pathValue("device"), by: request.principal),
                    next: nil)
            },
            .send(
                .post, "/api/devices/{device}/credentials",
                "Makes a credential with which the device writes its own readings; its secret is in this answer only.",
                tag: "people", access: .permission("token", "create"), body: CredentialDraft.self,
                answers: NewToken.self, status: .created
            ) { request, draft in
                try await identity.createCredential(of: request.pathValue("device"), draft, by: request.principal)
            }.answeringSecret(),
            .perform(
                .post, "/api/devices/{device}/credentials/{token}/rotate",
                "Replaces a credential; the old one stops working at once.", tag: "people",
                access: .permission("token", "create"), answers: NewToken.self, status: .created
            ) { request in
                try await identity.rotateCredential(
                    credential(request), of: request.pathValue("device"), by: request.principal)
            }.answeringSecret(),
            .silent(
                .delete, "/api/devices/{device}/credentials/{token}", "Revokes a credential of the device.",
                tag: "people", access: .permission("token", "revoke")
            ) { request in
                try await identity.revokeCredential(
                    credential(request), of: request.pathValue("device"), by: request.principal)
            },
        ]
    }

    /// A tenant, by its code.
    package struct TenantCode: Codable, Sendable {
        package var code: String
    }

    /// A tenant that the command line makes.
    package struct LocalTenantBody: Codable, Sendable {
        /// Its code.
        package var tenant: String
    }

    /// A token that the command line makes.
    package struct LocalTokenBody: Codable, Sendable {
        package var tenant: String
        package var username: String
        package var name: String

        package init(tenant: String, username: String, name: String) {
            self.tenant = tenant
            self.username = username
            self.name = name
        }
    }

    /// Whose password the command line lets be set anew.
    package struct LocalResetBody: Codable, Sendable {
        package var tenant: String
        package var username: String

        package init(tenant: String, username: String) {
            self.tenant = tenant
            self.username = username
        }
    }

    /// Whom the command line makes a member.
    package struct LocalMemberBody: Codable, Sendable {
        package var tenant: String
        package var username: String
        package var roles: [String]?
    }

    private static func local(
        _ identity: IdentityService, _ address: @escaping @Sendable () -> String?
    ) -> [Endpoint] {
        [
            .send(
                .post, "/api/local/users", "Makes a user, and the tenant when it is new.", tag: "local", access: .local,
                body: LocalUserDraft.self, answers: UserView.self, status: .created
            ) { _, draft in
                try await identity.createLocalUser(draft)
            },
            .get(
                "/api/local/tenants", "The codes of all tenants.", tag: "local", access: .local,
                answers: Page<TenantCode>.self
            ) { _ in
                Page(items: try await identity.tenantCodes().map(TenantCode.init(code:)), next: nil)
            },
            .send(
                .post, "/api/local/tenants", "Makes a tenant, unless one of that code is there.", tag: "local",
                access: .local, body: LocalTenantBody.self, answers: TenantCode.self, status: .created
            ) { _, body in
                try await identity.createLocalTenant(body.tenant)
                return TenantCode(code: body.tenant.lowercased())
            },
            .send(
                .post, "/api/local/tokens", "Makes an API token of a user.", tag: "local", access: .local,
                body: LocalTokenBody.self, answers: NewToken.self, status: .created
            ) { _, body in
                try await identity.createLocalToken(tenant: body.tenant, username: body.username, name: body.name)
            }.answeringSecret(),
            .send(
                .post, "/api/local/members", "Makes a user who is there a member of a tenant.", tag: "local",
                access: .local, body: LocalMemberBody.self, answers: UserView.self, status: .created
            ) { _, body in
                try await identity.addLocalMember(
                    tenant: body.tenant, username: body.username, roles: body.roles ?? ["viewer"])
            },
            .send(
                .post, "/api/local/reset-links", "Makes a link by which a user sets a new password.", tag: "local",
                access: .local, body: LocalResetBody.self, answers: ResetLink.self, status: .created
            ) { _, body in
                var link = try await identity.createLocalReset(tenant: body.tenant, username: body.username)
                link.address = link.address ?? address()
                return link
            }.answeringSecret(),
        ]
    }
}

extension UserView: Versioned {}
