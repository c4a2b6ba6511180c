package import VigilModel
import VigilPorts

extension RegistryService {
    /// Profiles by name.
    package func profiles(_ page: PageRequest = .first, kind: String? = nil, in scope: AccessScope)
        async throws -> Portion<Profile>
    {
        let after = try page.cursor.map { (try $0.text(at: 0), try $0.text(at: 1)) }
        return try await read(in: scope) { reading in
            var conditions: [SQL] = ["p.tenant_id = \(reading.tenant)"]
            if let after { conditions.append("(p.name, p.id) > (\(after.0), \(after.1))") }
            if let kind { conditions.append("p.kind = \(kind)") }
            let rows = try reading.transaction.rows(
                """
                SELECT \(Profile.columns) FROM profiles p WHERE \(conditions.joined(" AND "))
                ORDER BY p.name, p.id LIMIT \(page.limit + 1)
                """
            ).map(Profile.init(row:))
            return Portion(of: rows, limit: page.limit) { [.string($0.name), .string($0.id.description)] }
        }
    }

    /// A profile by identifier or code.
    package func profile(_ reference: String, in scope: AccessScope) async throws -> Profile {
        try await read(in: scope) { try $0.profile(reference) }
    }

    package func createProfile(_ draft: ProfileDraft, by principal: Principal, in scope: AccessScope)
        async throws -> Profile
    {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .nothing) { change in
            try change.requireWholeTenant()
            try change.requireRoom(in: "profiles", max: limits.profilesMax)
            var profile = try Profile(draft, id: ProfileID(at: change.time), time: change.time, limits: limits)
            profile.code = try change.newCode(draft.code, name: profile.name, table: "profiles")
            try profile.insert(tenant: change.tenant, in: change.transaction)
            try change.record(.created, "profile", profile.id.description, before: Profile?.none, after: profile)
            return profile
        }
    }

    /// - Throws: `conflict` with `profile.built_in` for one that comes with Vigil: make a copy and change that.
    package func changeProfile(
        _ reference: String, _ draft: ProfileChange, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> Profile {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .all) { change in
            let old = try change.reading.profile(reference)
            try change.requireWholeTenant()
            try RegistryChange.require(version, is: old.version)
            try old.requireOwn()
            var profile = try old.changed(by: draft, limits: limits)
            if let code = draft.code, code != old.code {
                profile.code = try change.newCode(code, name: profile.name, table: "profiles")
            }
            return try change.replace(old, by: profile, "profile")
        }
    }

    /// Deletes a profile that no device has; deleted devices lose it.
    ///
    /// - Throws: `conflict` with `profile.in_use` or `profile.built_in`.
    package func deleteProfile(
        _ reference: String, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws {
        try await change(by: principal, in: scope, forgetting: .nothing) { change in
            let profile = try change.reading.profile(reference)
            try change.requireWholeTenant()
            try RegistryChange.require(version, is: profile.version)
            try profile.requireOwn()
            let used: SQL = "tenant_id = \(change.tenant) AND profile_id = \(profile.id)"
            guard
                try change.transaction.rows(
                    "SELECT 1 AS one FROM devices WHERE \(used) AND deleted_at IS NULL LIMIT 1"
                ).isEmpty
            else {
                throw ServiceError(.conflict, "profile.in_use", "Devices have this profile.")
            }
            try change.transaction.execute("UPDATE devices SET profile_id = NULL WHERE \(used)")
            try change.transaction.execute(
                "DELETE FROM profiles WHERE tenant_id = \(change.tenant) AND id = \(profile.id)")
            try change.record(.deleted, "profile", profile.id.description, before: profile, after: Profile?.none)
        }
    }
}

extension RegistryReading {
    /// - Throws: `notFound` for what is not there or another tenant's.
    func profile(_ reference: String) throws -> Profile {
        let match: SQL = ProfileID(reference).map { "p.id = \($0)" } ?? "p.code = \(reference)"
        let rows = try transaction.rows(
            "SELECT \(Profile.columns) FROM profiles p WHERE p.tenant_id = \(tenant) AND \(match)")
        guard let row = rows.first else { throw ServiceError.notFound("profile") }
        return try Profile(row: row)
    }
}
