import HTTPTypes
import VigilModel
package import VigilServices

/// Roles, what members see, and tenants.
package enum RoleRoutes {
    package static func all(_ identity: IdentityService) -> [Endpoint] {
        roles(identity) + assignments(identity) + tenants(identity)
    }

    private static func roles(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/roles", "The built-in roles and the tenant's own.", tag: "people",
                access: .permission("role", "read"), answers: Page<RoleView>.self
            ) { request in
                Page(items: try await identity.roles(by: request.principal), next: nil)
            },
            .send(
                .post, "/api/roles", "Makes a role, of permissions that the caller holds.", tag: "people",
                access: .permission("role", "create"), body: RoleDraft.self, answers: RoleView.self, status: .created
            ) { request, draft in
                try await identity.createRole(draft, by: request.principal)
            },
            .send(
                .put, "/api/roles/{role}", "Replaces a role; it holds at once.", tag: "people",
                access: .permission("role", "update"), body: RoleDraft.self, answers: RoleView.self
            ) { request, draft in
                try await identity.updateRole(
                    request.pathValue("role"), draft, version: try request.expectedVersion(), by: request.principal)
            },
            .silent(
                .delete, "/api/roles/{role}", "Removes a role that nobody has.", tag: "people",
                access: .permission("role", "delete")
            ) { request in
                try await identity.deleteRole(request.pathValue("role"), by: request.principal)
            },
        ]
    }

    private static func assignments(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/users/{user}/assignments", "What a member sees.", tag: "people",
                access: .permission("assignment", "read"), answers: AssignmentsView.self
            ) { request in
                try await identity.assignments(of: request.pathValue("user"), by: request.principal)
            },
            .send(
                .put, "/api/users/{user}/assignments", "Replaces what a member sees; it holds at once.",
                tag: "people", access: .permission("assignment", "update"), body: AssignmentsView.self,
                answers: AssignmentsView.self
            ) { request, wanted in
                try await identity.assign(wanted, to: request.pathValue("user"), by: request.principal)
            },
        ]
    }

    private static func tenants(_ identity: IdentityService) -> [Endpoint] {
        [
            .get(
                "/api/tenants", "The tenants that the caller may act in.", tag: "people", access: .signedIn,
                parameters: PeopleRoutes.paging, answers: Page<TenantView>.self
            ) { request in
                let tenants = try await identity.tenants(page: PeopleRoutes.page(of: request), by: request.principal)
                return Page(items: tenants.items, next: tenants.next?.text)
            },
            .send(
                .post, "/api/tenants", "Makes a client of the caller's tenant, a provider.", tag: "people",
                access: .permission("tenant", "create"), body: TenantDraft.self, answers: TenantView.self,
                status: .created
            ) { request, draft in
                try await identity.createClient(draft, by: request.principal)
            },
            .send(
                .patch, "/api/tenants/{tenant}", "Changes the caller's tenant, or a client of it.", tag: "people",
                access: .permission("tenant", "update"), body: TenantPatch.self, answers: TenantView.self
            ) { request, patch in
                try await identity.updateTenant(
                    request.pathValue("tenant"), patch, version: try request.expectedVersion(), by: request.principal)
            },
        ]
    }
}

extension RoleView: Versioned {}
extension TenantView: Versioned {}
