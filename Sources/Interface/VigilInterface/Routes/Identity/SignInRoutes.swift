import HTTPTypes
package import VigilModel
package import VigilServices

/// Signing in and out, and one's own account.
package enum SignInRoutes {
    package static func all(_ identity: IdentityService) -> [Endpoint] {
        [
            signIn(identity), refresh(identity), signOut(identity), me(identity), password(identity),
            switchTenant(identity),
        ] + reset(identity)
    }

    /// What somebody shows to sign in.
    package struct SignInBody: Codable, Sendable {
        package var username: String
        package var password: String?
        package var pin: String?
        /// The secret of an enrolled panel: PINs and names alone work only there.
        package var panel: String?
        /// The tenant to act in, by code; one's home when absent.
        package var tenant: String?
        /// `browser` sets a cookie; `api` (the default) answers tokens.
        package var kind: SignInRequest.SessionKind?
    }

    /// A session's tokens.
    package struct TokensView: Codable, Sendable {
        package var accessToken: String?
        package var accessExpires: Timestamp
        package var refreshToken: String?
        /// Of a browser's session: what its scripts send back as `X-CSRF-Token`.
        package var csrfToken: String?
        package var mustChangePassword: Bool

        init(_ signedIn: SignedIn, showsAccess: Bool) {
            accessToken = showsAccess ? signedIn.accessToken : nil
            accessExpires = signedIn.accessExpires
            refreshToken = signedIn.refreshToken
            csrfToken = signedIn.kind == .browser ? SessionCookie.proof(of: signedIn.accessToken) : nil
            mustChangePassword = signedIn.mustChangePassword
        }
    }

    private static func signIn(_ identity: IdentityService) -> Endpoint {
        Endpoint(
            .post, "/api/auth/login", "Signs in.", tag: "sign-in", access: .open, body: SignInBody.self,
            answers: TokensView.self, bodyLimit: 16 << 10
        ) { request in
            let body = try JSONBody.decode(SignInBody.self, from: try await request.body.collected(limit: 16 << 10))
            let kind = body.kind ?? .api
            let signedIn = try await identity.signIn(
                SignInRequest(
                    name: body.username, secret: body.password ?? body.pin ?? "", panel: body.panel,
                    tenant: body.tenant, kind: kind, address: request.remoteAddress,
                    userAgent: request.headers[.userAgent] ?? ""))
            var response = try Response.json(TokensView(signedIn, showsAccess: kind == .api))
            if kind == .browser {
                let life = signedIn.expires - signedIn.session.created
                response.headers.append(
                    SessionCookie.field(
                        signedIn.accessToken, maxAgeSeconds: Int(life.seconds), isSecure: request.isSecure))
            }
            response.headers[.cacheControl] = "no-store"
            return response
        }.answeringSecret()
    }

    /// A refresh token, which works once.
    package struct RefreshBody: Codable, Sendable {
        package var refreshToken: String
    }

    private static func refresh(_ identity: IdentityService) -> Endpoint {
        .send(
            .post, "/api/auth/refresh", "Exchanges a refresh token for new tokens.", tag: "sign-in", access: .open,
            body: RefreshBody.self, answers: TokensView.self, bodyLimit: 16 << 10
        ) { request, body in
            TokensView(
                try await identity.refresh(body.refreshToken, address: request.remoteAddress), showsAccess: true)
        }.answeringSecret()
    }

    private static func signOut(_ identity: IdentityService) -> Endpoint {
        Endpoint(
            .post, "/api/auth/logout", "Ends this session.", tag: "sign-in", access: .signedIn, status: .noContent
        ) { request in
            try await identity.signOut(request.principal)
            var response = Response.noContent
            response.headers.append(SessionCookie.removal(isSecure: request.isSecure))
            return response
        }
    }

    private static func me(_ identity: IdentityService) -> Endpoint {
        .get(
            "/api/auth/me", "Who is signed in, with what they may do.", tag: "sign-in", access: .signedIn,
            answers: AccountView.self
        ) { request in
            try await identity.account(of: request.principal)
        }
    }

    /// Where to act.
    package struct TenantBody: Codable, Sendable {
        /// A tenant's code or identifier.
        package var tenant: String
    }

    private static func switchTenant(_ identity: IdentityService) -> Endpoint {
        .send(
            .post, "/api/auth/tenant", "Lets this session act in another tenant from now on.", tag: "sign-in",
            access: .signedIn, body: TenantBody.self, answers: AccountView.self
        ) { request, body in
            try await identity.switchTenant(to: body.tenant, by: request.principal)
        }
    }

    /// A password and its successor.
    package struct PasswordBody: Codable, Sendable {
        package var current: String
        package var new: String
    }

    private static func password(_ identity: IdentityService) -> Endpoint {
        Endpoint(
            .post, "/api/auth/password", "Changes one's own password; other sessions end.", tag: "sign-in",
            access: .signedIn, body: PasswordBody.self, status: .noContent, bodyLimit: 16 << 10
        ) { request in
            let body = try JSONBody.decode(PasswordBody.self, from: try await request.body.collected(limit: 16 << 10))
            try await identity.changePassword(current: body.current, new: body.new, by: request.principal)
            return .noContent
        }
    }

    /// Whose password is forgotten.
    package struct ResetRequestBody: Codable, Sendable {
        package var username: String
    }

    /// The secret of a password reset, and the new password.
    package struct ResetBody: Codable, Sendable {
        package var token: String
        package var password: String
    }

    private static func reset(_ identity: IdentityService) -> [Endpoint] {
        [
            Endpoint(
                .post, "/api/auth/password-reset", "Asks for a link; the answer is the same for unknown names.",
                tag: "sign-in", access: .open, body: ResetRequestBody.self, status: .accepted, bodyLimit: 16 << 10
            ) { request in
                let bytes = try await request.body.collected(limit: 16 << 10)
                try await identity.requestPasswordReset(
                    of: try JSONBody.decode(ResetRequestBody.self, from: bytes).username,
                    address: request.remoteAddress)
                return Response(status: .accepted)
            },
            Endpoint(
                .post, "/api/auth/password-reset/confirm", "Sets a new password by the link's secret.",
                tag: "sign-in", access: .open, body: ResetBody.self, status: .noContent, bodyLimit: 16 << 10
            ) { request in
                let body = try JSONBody.decode(ResetBody.self, from: try await request.body.collected(limit: 16 << 10))
                try await identity.resetPassword(body.token, new: body.password, address: request.remoteAddress)
                return .noContent
            },
        ]
    }
}
