import VigilPorts

/// Row-level security: a wall against a forgotten WHERE.
///
/// Every table with a `tenant_id` gets FORCE ROW LEVEL SECURITY and two policies:
/// - the tenant role sees and writes the rows of the tenant in `vigil.tenant`, which each transaction sets from its
///   scope; unset, it sees nothing;
/// - the system role, for work that serves all tenants, sees everything. A transaction takes it only for a scope
///   without a tenant, so forgetting a scope never opens it.
///
/// Neither role owns anything or may change the schema. The login that owns the tables is a member of both: it needs
/// the tenant role to work as it, and the system role so that a backup (`pg_dump --enable-row-security`) is whole.
struct RowSecurity {
    let tenantRole: String
    let systemRole: String

    init(_ configuration: PostgresConfiguration) {
        tenantRole = configuration.tenantRole
        systemRole = configuration.systemRole
    }

    /// Makes the roles that are missing, and lets the login work as them.
    ///
    /// - Throws: `invalid` when the login may not make roles: then an administrator has to, as the guide says.
    func prepareRoles(_ wire: Wire) throws {
        for role in [tenantRole, systemRole] {
            guard role.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || (97...122).contains($0) || (48...57).contains($0) })
            else { throw StoreError(.invalid, "A role's name holds other than a-z, 0-9 and _") }
            let there = WireRequest("SELECT 1 FROM pg_roles WHERE rolname = $1", [.text(role)])
            if try wire.run([there]).last?.rows.isEmpty ?? true {
                // Another database of the server may be making it in this moment.
                try wire.script(
                    """
                    DO $$ BEGIN CREATE ROLE \(role) NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
                    """)
            }
            // Whoever makes a role administers it, which since PostgreSQL 16 does not mean being allowed to take it.
            try wire.script(
                """
                DO $$ BEGIN GRANT \(role) TO CURRENT_USER;
                EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL; END $$
                """)
            do {
                try wire.script("BEGIN; SET LOCAL ROLE \(role); ROLLBACK")
            } catch {
                guard error.state == "42501" else { throw error }
                throw StoreError(
                    .invalid, "The login may not work as a role that it needs: grant it", details: ["role": role])
            }
        }
    }

    /// Brings grants and policies of all tables of the schema up to date.
    ///
    /// Doing it again changes nothing.
    func apply(_ wire: Wire) throws {
        try wire.script("BEGIN; " + grants + tables() + " COMMIT")
    }

    private var grants: String {
        """
        DO $$ BEGIN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO \(tenantRole), \(systemRole)', current_schema());
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO \(tenantRole), \(systemRole)',
                current_schema());
            EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO \(tenantRole), \(systemRole)', current_schema());
            IF to_regclass('schema_migrations') IS NOT NULL THEN
                REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM \(tenantRole), \(systemRole);
            END IF;
        END $$;

        """
    }

    /// The outbox is written by `appendToOutbox` alone, also for another tenant than the scope's (a provider's client)
    /// and for none, so its rows may be added freely, and are read like all others.
    private func tables() -> String {
        """
        DO $$ DECLARE t record; check_added text; BEGIN
            FOR t IN SELECT c.oid::regclass AS name, c.relname FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
            LOOP
                EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.name);
                EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t.name);
                EXECUTE format('DROP POLICY IF EXISTS vigil_tenant ON %s', t.name);
                EXECUTE format('DROP POLICY IF EXISTS vigil_tenant_adds ON %s', t.name);
                EXECUTE format('DROP POLICY IF EXISTS vigil_system ON %s', t.name);
                EXECUTE format('CREATE POLICY vigil_tenant ON %s TO \(tenantRole) USING
                    (tenant_id = (SELECT nullif(current_setting(''vigil.tenant'', true), '''')::uuid))', t.name);
                IF t.relname = 'outbox' THEN
                    EXECUTE format('CREATE POLICY vigil_tenant_adds ON %s FOR INSERT TO \(tenantRole) WITH CHECK (true)', t.name);
                END IF;
                EXECUTE format('CREATE POLICY vigil_system ON %s TO \(systemRole) USING (true)', t.name);
            END LOOP;
        END $$;

        """
    }
}
