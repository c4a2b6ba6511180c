package import VigilModel
package import VigilPorts

/// Raises alerts of the type system about the installation itself, and closes them when what they tell of is over.
///
/// They go to the tenants that run the installation: those that no other tenant manages.
package struct SystemWatch: Sendable {
    /// Something that can be wrong.
    package struct Check: Sendable {
        /// The end of the alert's source: `disk` makes `system:disk`.
        package let name: String
        package let severity: Severity
        package let title: String
        /// What is wrong now, as a sentence; `nil` when nothing is.
        package let find: @Sendable () async -> String?

        package init(
            _ name: String, _ severity: Severity, title: String, find: @escaping @Sendable () async -> String?
        ) {
            self.name = name
            self.severity = severity
            self.title = title
            self.find = find
        }
    }

    static let interval = Span.seconds(15)
    private let stores: Stores
    private let clock: any TimeSource
    private let checks: [Check]

    package init(stores: Stores, clock: any TimeSource, checks: [Check]) {
        self.stores = stores
        self.clock = clock
        self.checks = checks
    }

    /// Checks again and again until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                try await check()
            } catch is StoreError {
                // An alert cannot be written now; `/ready` tells it meanwhile.
            }
            try await clock.wait(for: Self.interval)
        }
    }

    /// Checks everything once.
    package func check() async throws {
        var found: [(Check, String?)] = []
        for check in checks { found.append((check, await check.find())) }
        let (now, results) = (clock.now(), found)
        let scope = SystemScope.allTenants("system alerts")
        let standing = try await stores.relational.read(in: scope) { transaction in
            Set(
                try transaction.rows(
                    "SELECT rule_key FROM rule_conditions WHERE rule_key LIKE 'system:%' AND subject = '' AND state = 'active'"
                ).map { try $0.get("rule_key", as: String.self) })
        }
        let changed = results.filter { ($0.1 != nil) != standing.contains("system:\($0.0.name)") }
        guard !changed.isEmpty else { return }
        try await stores.relational.write(in: scope) { transaction in
            let tenants = try transaction.rows(
                "SELECT id FROM tenants WHERE parent_id IS NULL AND is_active = \(true) ORDER BY id"
            ).map { try $0.get("id", as: TenantID.self) }
            for tenant in tenants {
                for (check, sentence) in changed {
                    let condition = StandingCondition(
                        key: "system:\(check.name)", subject: "", tenant: tenant, now: now)
                    guard let sentence else {
                        try condition.end(at: now, in: transaction)
                        continue
                    }
                    try condition.begin(
                        since: now, at: now,
                        StandingCondition.Words(
                            type: .system, subtype: check.name, severity: check.severity, title: check.title,
                            message: sentence), in: transaction)
                }
            }
        }
    }
}
