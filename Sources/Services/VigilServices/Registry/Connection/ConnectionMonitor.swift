package import VigilModel
package import VigilPorts

/// Tells when devices fall silent and when they are heard again.
///
/// A device that is switched off (status `inactive`), deleted or only discovered is not watched. Each change is told once,
/// also after a restart: what was told is in `device_connections`. Nobody is late while nobody listened: silence is told
/// when it has lasted for as long since the monitor was made.
package struct ConnectionMonitor: Sendable {
    package struct Settings: Sendable {
        package var interval = Span.seconds(5)
        /// Changes in one transaction; the rest follows at once.
        package var changesMax = 500

        package init() {}
    }

    private let relational: any RelationalStore
    private let clock: any TimeSource
    private let hooks: [any DeviceHook]
    private let settings: Settings
    private let listening: Timestamp

    package init(
        stores: Stores, clock: any TimeSource, hooks: [any DeviceHook] = [], settings: Settings = Settings()
    ) {
        relational = stores.relational
        self.clock = clock
        self.hooks = hooks
        self.settings = settings
        listening = clock.now()
    }

    /// Checks again and again until the task is cancelled.
    ///
    /// A store that is away for a while is waited for.
    package func run() async throws {
        while true {
            do {
                try await check()
            } catch let error as StoreError where error.mayBeTriedAgain {
                // What could not be read or told now is found by the next round.
            }
            try await clock.wait(for: settings.interval)
        }
    }

    /// Tells what has changed since it was last told.
    ///
    /// - Returns: How many devices' states were told.
    @discardableResult
    package func check() async throws -> Int {
        let (now, listening, limit, hooks) = (clock.now(), listening, settings.changesMax, hooks)
        let scope = SystemScope.allTenants("connection monitor")
        // Most rounds find nothing: they do not ask for the writer.
        guard
            try await !relational.read(
                in: scope, { try ConnectionTransition.due(at: now, listening: listening, limit: 1, in: $0) }
            ).isEmpty
        else { return 0 }
        var count = 0
        var last: DeviceID?
        while true {
            let after = last
            let told = try await relational.write(in: scope) { transaction in
                let transitions = try ConnectionTransition.due(
                    at: now, listening: listening, after: after, limit: limit, in: transaction)
                try ConnectionTransition.tell(transitions, at: now, hooks: hooks, in: transaction)
                return transitions.map(\.device)
            }
            count += told.count
            last = told.last
            if told.count < limit { return count }
        }
    }
}

/// A device whose connection state is not the one that was last told.
struct ConnectionTransition: Sendable {
    let device: DeviceID
    let tenant: TenantID
    let old: ConnectionState
    let new: ConnectionState
    let lastSeen: Timestamp?

    /// The first devices whose state is to be told, by their identifiers.
    static func due(
        at now: Timestamp, listening: Timestamp, after device: DeviceID? = nil, limit: Int,
        in transaction: any SQLTransaction
    ) throws -> [ConnectionTransition] {
        let listened = (now - listening).microseconds
        let rest: SQL = if let device { "AND d.id > \(device)" } else { "" }
        return try transaction.rows(
            """
            SELECT t.id, t.tenant_id, t.old_state, t.state, t.last_seen FROM (
                SELECT d.id, d.tenant_id, COALESCE(c.state, 'unknown') AS old_state,
                    \(ConnectionSQL.state(at: now)) AS state, \(ConnectionSQL.interval) AS span, a.last_seen
                FROM \(ConnectionSQL.tables)
                LEFT JOIN device_connections c ON c.tenant_id = d.tenant_id AND c.device_id = d.id
                WHERE d.deleted_at IS NULL AND NOT d.is_discovered AND d.status <> 'inactive' \(rest)) AS t
            WHERE t.state <> t.old_state AND (t.state NOT IN ('warning', 'offline')
                OR \(listened) >= CASE WHEN t.state = 'offline' THEN 6 * t.span ELSE t.span END)
            ORDER BY t.id LIMIT \(limit)
            """
        ).map { row in
            ConnectionTransition(
                device: try row.get("id"), tenant: try row.get("tenant_id"), old: try row.get("old_state"),
                new: try row.get("state"), lastSeen: try row.optional("last_seen"))
        }
    }

    /// Tells changes of any tenants' devices.
    static func tell(
        _ transitions: [ConnectionTransition], at now: Timestamp, hooks: [any DeviceHook],
        in transaction: any SQLTransaction
    ) throws {
        _ = try transaction.insert(
            into: "device_connections", columns: ["tenant_id", "device_id", "state", "since"],
            rows: transitions.map { [$0.tenant.sqlValue, $0.device.sqlValue, $0.new.sqlValue, now.sqlValue] },
            conflict: "ON CONFLICT (tenant_id, device_id) DO UPDATE SET state = excluded.state, since = excluded.since")
        var entries: [DeviceID: DeviceEntry] = [:]
        for (tenant, group) in Dictionary(grouping: transitions, by: \.tenant) {
            entries.merge(try DeviceEntry.find(group.map(\.device), tenant: tenant, in: transaction)) { $1 }
        }
        for transition in transitions {
            guard let entry = entries[transition.device] else { continue }
            try transition.tell(entry, at: now, hooks: hooks, in: transaction)
        }
    }

    private func tell(
        _ entry: DeviceEntry, at now: Timestamp, hooks: [any DeviceHook], in transaction: any SQLTransaction
    ) throws {
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: tenant, type: "device.state", aggregate: "device", aggregateID: device.description,
                device: device,
                data: .object([
                    "id": .string(device.description), "code": .string(entry.code), "name": .string(entry.name),
                    "state": .string(new.rawValue), "previous": .string(old.rawValue),
                    "lastSeen": lastSeen.map { .string($0.description) } ?? .null,
                ]), time: now))
        for hook in hooks { try hook.connectionChanged(entry, from: old, to: new, at: now, in: transaction) }
    }
}
