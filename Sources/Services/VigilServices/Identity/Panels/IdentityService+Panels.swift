package import VigilModel
import VigilPorts

extension IdentityService {
    static let panelsMax = 200
    /// How long a device can enrol with a code.
    static let panelCodeLife = Span.minutes(15)
    /// Codes that are tried from one address within ten minutes.
    static let enrolmentsPerAddress = 10

    /// The panels of the caller's tenant, by name.
    package func panels(by principal: Principal) async throws -> [PanelView] {
        let now = clock.now()
        return try await read(by: principal) { tenant, transaction in
            try transaction.rows(
                """
                SELECT * FROM panels WHERE tenant_id = \(tenant) AND revoked_at IS NULL
                ORDER BY name, id LIMIT \(Self.panelsMax)
                """
            ).map { try PanelView(row: $0, now: now) }
        }
    }

    /// Makes a panel, and the code by which one device enrols as it.
    package func createPanel(_ draft: PanelDraft, by principal: Principal) async throws -> PanelCode {
        guard (1...100).contains(draft.name.utf8.count) else {
            throw ServiceError.invalid("name", "must have 1 to 100 bytes")
        }
        let code = EnrolmentCode.random()
        return try await change(by: principal) { change in
            let count: Int = try change.transaction.rows(
                "SELECT count(*) AS n FROM panels WHERE tenant_id = \(change.tenant) AND revoked_at IS NULL"
            )[0].get("n")
            guard count < Self.panelsMax else {
                throw ServiceError(.tooMany, "panel.limit", "A tenant has at most \(Self.panelsMax) panels.")
            }
            let id = PanelID(at: change.time)
            let expires = change.time + Self.panelCodeLife
            try change.transaction.execute(
                """
                INSERT INTO panels (id, tenant_id, name, code_hash, code_expires_at, allows_pin, allows_username,
                    created_by, created_at)
                VALUES (\(id), \(change.tenant), \(draft.name), \(EnrolmentCode.hash(code)), \(expires),
                    \(draft.allowsPIN ?? true), \(draft.allowsUsername ?? false), \(change.actor), \(change.time))
                """)
            try change.record(
                "create", "panel", id.description, event: "panel.created", after: try JSONValue(describing: draft))
            return PanelCode(id: id, name: draft.name, code: code, expires: expires)
        }
    }

    /// A new code for a panel: the device that enrols with it takes the place of the present one.
    package func newCode(of panel: PanelID, by principal: Principal) async throws -> PanelCode {
        let code = EnrolmentCode.random()
        return try await change(by: principal) { change in
            let view = try change.panel(panel)
            let expires = change.time + Self.panelCodeLife
            try change.transaction.execute(
                """
                UPDATE panels SET code_hash = \(EnrolmentCode.hash(code)), code_expires_at = \(expires)
                WHERE tenant_id = \(change.tenant) AND id = \(panel)
                """)
            try change.record("code", "panel", panel.description, event: "panel.updated")
            return PanelCode(id: panel, name: view.name, code: code, expires: expires)
        }
    }

    /// Makes the device that shows a code the panel: it gets a secret of its own, and the code works no more.
    ///
    /// - Throws: `invalid`, code `panel.code`; `tooMany`, code `panel.rate`, for too many codes from one address.
    package func enrolPanel(_ code: String, address: String) async throws -> EnrolledPanel {
        let decision = try await stores.limits.admit(
            "identity.enrol/\(AddressKey.of(address))", limit: Self.enrolmentsPerAddress, per: .minutes(10))
        guard decision.isAllowed else {
            throw ServiceError(
                .tooMany, "panel.rate", "Too many codes were tried. Try again later.",
                retryAfter: max(.seconds(1), decision.retryAfter))
        }
        let (now, book) = (clock.now(), book())
        let secret = SecretToken(.panel)
        return try await stores.relational.write(in: Self.everywhere) { transaction in
            let row = try transaction.rows(
                """
                SELECT p.id, p.name, p.tenant_id, t.code FROM panels p JOIN tenants t ON t.id = p.tenant_id
                WHERE p.code_hash = \(EnrolmentCode.hash(code)) AND p.code_expires_at > \(now)
                    AND p.revoked_at IS NULL AND t.is_active
                """
            ).first
            guard let row else {
                throw ServiceError(.invalid, "panel.code", "The code is not valid, or was used, or is too old.")
            }
            let (id, tenant) = (try row.get("id", as: PanelID.self), try row.get("tenant_id", as: TenantID.self))
            try transaction.execute(
                """
                UPDATE panels SET secret_hash = \(secret.hash), code_hash = NULL, code_expires_at = NULL
                WHERE tenant_id = \(tenant) AND id = \(id)
                """)
            try book.revokeAll(where: "panel_id = \(id)", because: "panel_replaced", transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: AuditActor(kind: .anonymous, id: nil, name: "panel", address: address), tenant: tenant,
                    "enrol", "panel", id.description, at: now),
                in: transaction)
            return EnrolledPanel(
                id: id, name: try row.get("name"), tenant: try row.get("code"), secret: secret.text)
        }
    }

    /// Ends a panel: its secret works no more, and who signed in there is signed out.
    package func revokePanel(_ panel: PanelID, by principal: Principal) async throws {
        let book = book()
        _ = try await change(by: principal, forgetting: { $0.map(Forgotten.session) }) { change in
            let view = try change.panel(panel)
            try change.transaction.execute(
                """
                UPDATE panels SET revoked_at = \(change.time), code_hash = NULL, code_expires_at = NULL
                WHERE tenant_id = \(change.tenant) AND id = \(panel)
                """)
            try change.record(
                "revoke", "panel", panel.description, event: "panel.revoked", before: try JSONValue(describing: view))
            return try book.revokeAll(where: "panel_id = \(panel)", because: "panel_revoked", change.transaction)
        }
    }
}

extension IdentityChange {
    fileprivate func panel(_ id: PanelID) throws -> PanelView {
        let row = try transaction.rows(
            "SELECT * FROM panels WHERE tenant_id = \(tenant) AND id = \(id) AND revoked_at IS NULL"
        ).first
        guard let row else { throw ServiceError.notFound("panel") }
        return try PanelView(row: row, now: time)
    }
}

extension PanelView {
    fileprivate init(row: SQLRow, now: Timestamp) throws {
        let end = try row.optional("code_expires_at", as: Timestamp.self)
        self.init(
            id: try row.get("id"), name: try row.get("name"), allowsPIN: try row.get("allows_pin"),
            allowsUsername: try row.get("allows_username"),
            isEnrolled: try row.optional("secret_hash", as: String.self) != nil,
            codeExpires: end.flatMap { now < $0 ? $0 : nil },
            lastUsed: try row.optional("last_used_at", as: Timestamp.self), created: try row.get("created_at"))
    }
}
