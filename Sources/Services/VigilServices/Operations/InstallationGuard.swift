import VigilModel
import VigilPorts

/// Tells those who run the installation from the members of one tenant of many.
struct InstallationGuard: Sendable {
    let stores: Stores

    /// Whether the caller is the command line, or belongs to the one tenant that no other manages.
    func isRun(by principal: Principal) async throws -> Bool {
        if principal.subject == .local { return true }
        guard let tenant = principal.tenant else { return false }
        return try await stores.relational.read(in: SystemScope.allTenants("installation")) { transaction in
            try transaction.rows(
                """
                SELECT id FROM tenants
                WHERE (id = \(tenant) AND parent_id IS NOT NULL) OR (id <> \(tenant) AND parent_id IS NULL) LIMIT 1
                """
            ).isEmpty
        }
    }

    /// - Throws: `forbidden` for anybody else.
    func admit(_ principal: Principal) async throws {
        guard try await isRun(by: principal) else {
            throw ServiceError(.forbidden, "auth.forbidden", "This is for those who run the installation.")
        }
    }
}
