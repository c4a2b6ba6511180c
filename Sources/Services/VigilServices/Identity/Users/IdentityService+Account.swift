package import VigilModel
import VigilPorts

/// Who is signed in, with what they may do.
package struct AccountView: Codable, Sendable, Hashable {
    package var name: String
    package var tenant: TenantID?
    package var tenantCode: String?
    package var tenantName: String?
    package var permissions: [Permission]
    package var user: UserView?
}

extension IdentityService {
    /// The caller's own account.
    package func account(of principal: Principal) async throws -> AccountView {
        try await read(by: principal) { tenant, transaction in
            let row = try transaction.rows("SELECT code, name FROM tenants WHERE id = \(tenant)").first
            let member = try principal.user.flatMap {
                try MemberRow.list("u.id = \($0)", in: tenant, limit: 1, transaction).first
            }
            return AccountView(
                name: principal.name, tenant: tenant, tenantCode: try row?.get("code"),
                tenantName: try row?.get("name"), permissions: principal.permissions, user: member.map(UserView.init))
        }
    }

    /// Changes the caller's own password; all their other sessions end.
    ///
    /// - Throws: `forbidden`, code `auth.wrong_password`, when the present one is wrong.
    package func changePassword(current: String, new: String, by principal: Principal) async throws {
        guard case .user(let id, let session) = principal.subject else { throw Self.noSession }
        try checkPassword(new, field: "new")
        let stored = try await stores.relational.read(in: Self.everywhere) { try UserRow.find(id, $0)?.passwordHash }
        let hash = try await hasher.withPlace { place in
            guard try await place.verify(Array(current.utf8), against: stored) else {
                throw ServiceError(.forbidden, "auth.wrong_password", "The present password is wrong.")
            }
            return try await place.hash(Array(new.utf8))
        }
        let book = book()
        try await change(by: principal, forgetting: { _ in [.user(id)] }) { change in
            try change.transaction.execute(
                """
                UPDATE users SET password_hash = \(hash), must_change_password = \(false), version = version + 1,
                    updated_at = \(change.time)
                WHERE id = \(id)
                """)
            try book.revokeAll(
                where: "user_id = \(id)", except: session, because: "password_changed", change.transaction)
            try change.record("change_password", "user", id.description, event: "user.updated")
        }
    }
}
