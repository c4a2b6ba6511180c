package import VigilModel
import VigilPorts

extension IdentityService {
    /// What the command line on this machine sees of the tenant that it names by code or identifier: all.
    ///
    /// - Throws: `notFound` for a tenant that is not there.
    package func localScope(tenant reference: String) async throws -> AccessScope {
        AccessScope(tenant: try await localTenant(reference))
    }

    /// The command line on this machine, acting in a tenant: it may do everything there.
    package func localPrincipal(tenant reference: String) async throws -> Principal {
        let tenant = try await localTenant(reference)
        return Principal(
            subject: .local, tenant: tenant, permissions: [Permission("*", "*")], scope: AccessScope(tenant: tenant),
            name: "local", remoteAddress: "local")
    }

    private func localTenant(_ reference: String) async throws -> TenantID {
        let found = try await stores.relational.read(in: Self.everywhere) { transaction in
            try Self.tenant(reference, transaction)
        }
        guard let found else { throw ServiceError.notFound("tenant") }
        return found
    }

    /// The tenant with this code, or this identifier.
    static func tenant(_ reference: String, _ transaction: any SQLTransaction) throws -> TenantID? {
        let condition: SQL =
            if let id = TenantID(reference) { "id = \(id)" } else { "code = \(reference.lowercased())" }
        return try transaction.rows("SELECT id FROM tenants WHERE " + condition).first?.get("id")
    }
}
