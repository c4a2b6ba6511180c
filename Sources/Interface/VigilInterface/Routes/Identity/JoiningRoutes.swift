import HTTPTypes
import VigilModel
package import VigilServices

/// Panels, and how people come in: invitations, and how they sign in.
package enum JoiningRoutes {
    package static func all(_ identity: IdentityService) -> [Endpoint] {
        panels(identity) + invitations(identity) + method(identity)
    }

    private static func panels(_ identity: IdentityService) -> [Endpoint] {
        @Sendable func panel(_ request: Request) throws -> PanelID {
            guard let id = PanelID(request.pathValue("panel")) else { throw ServiceError.notFound("panel") }
            return id
        }
        return [
            .get(
                "/api/panels", "The panels where people sign in with a PIN or by name alone, by name.", tag: "people",
                access: .permission("panel", "read"), answers: Page<PanelView>.self
            ) { request in
                Page(items: try await identity.panels(by: request.principal), next: nil)
            },
            .send(
                .post, "/api/panels", "Makes a panel; the code by which one device enrols is in this answer only.",
                tag: "people", access: .permission("panel", "create"), body: PanelDraft.self, answers: PanelCode.self,
                status: .created
            ) { request, draft in
                try await identity.createPanel(draft, by: request.principal)
            }.answeringSecret(),
            .perform(
                .post, "/api/panels/{panel}/code",
                "A new code for a panel; the device that enrols with it replaces the present one.", tag: "people",
                access: .permission("panel", "create"), answers: PanelCode.self, status: .created
            ) { request in
                try await identity.newCode(of: panel(request), by: request.principal)
            }.answeringSecret(),
            .silent(
                .delete, "/api/panels/{panel}", "Ends a panel; who signed in there is signed out.", tag: "people",
                access: .permission("panel", "delete")
            ) { request in
                try await identity.revokePanel(panel(request), by: request.principal)
            },
            .send(
                .post, "/api/panels/enrol", "Makes the device that shows a code the panel; answers its secret once.",
                tag: "sign-in", access: .open, body: EnrolBody.self, answers: EnrolledPanel.self, status: .created,
                bodyLimit: 16 << 10
            ) { request, body in
                try await identity.enrolPanel(body.code, address: request.remoteAddress)
            }.answeringSecret(),
        ]
    }

    /// The code of a panel.
    package struct EnrolBody: Codable, Sendable {
        package var code: String
    }

    private static func invitations(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/invitations", "The open invitations, the newest first.", tag: "people",
                access: .permission("user", "create"), answers: Page<InvitationView>.self
            ) { request in
                Page(items: try await identity.invitations(by: request.principal), next: nil)
            },
            .send(
                .post, "/api/invitations",
                "Asks somebody to join, also somebody who has an account; the link is in this answer only.",
                tag: "people", access: .permission("user", "create"), body: InvitationDraft.self,
                answers: NewInvitation.self, status: .created
            ) { request, draft in
                try await identity.invite(draft, by: request.principal)
            }.answeringSecret(),
            .silent(
                .delete, "/api/invitations/{invitation}", "Takes an invitation back.", tag: "people",
                access: .permission("user", "create")
            ) { request in
                guard let id = EntryID(request.pathValue("invitation")) else {
                    throw ServiceError.notFound("invitation")
                }
                try await identity.withdrawInvitation(id, by: request.principal)
            },
            .send(
                .post, "/api/invitations/accept",
                "Joins: whoever is signed in with that account, others with a new one.", tag: "sign-in", access: .open,
                body: AcceptanceDraft.self, answers: UserView.self, status: .created, bodyLimit: 16 << 10
            ) { request, draft in
                try await identity.accept(draft, by: request.principal, address: request.remoteAddress)
            },
        ]
    }

    private static func method(_ identity: IdentityService) -> [Endpoint] {
        [
            Endpoint(
                .put, "/api/users/{user}/sign-in",
                "Says how a member signs in, with a new password or PIN; their sessions end.", tag: "people",
                access: .permission("user", "update"), body: MethodDraft.self, status: .noContent, bodyLimit: 16 << 10
            ) { request in
                let draft = try JSONBody.decode(
                    MethodDraft.self, from: try await request.body.collected(limit: 16 << 10))
                try await identity.setMethod(of: request.pathValue("user"), draft, by: request.principal)
                return .noContent
            }
        ]
    }
}
