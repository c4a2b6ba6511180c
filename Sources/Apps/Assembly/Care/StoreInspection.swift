import RelationalEngine
import VigilPorts
import VigilServices

/// Asks stores to look at themselves.
enum StoreInspection {
    static func facts(of stores: Stores, clock: any TimeSource) async throws -> [StoreFact] {
        var facts: [StoreFact] = []
        for store in [stores.relational, stores.series] as [any Sendable] {
            if let store = store as? any StoreInspecting { facts += try await store.inspection() }
        }
        // A server's database is asked by whoever asks us: it belongs to nobody alone.
        if let store = stores.relational as? SQLiteStore {
            facts =
                await schema { all in
                    try await SQLiteMigrator(store, backups: nil, clock: clock).status(all)
                } + facts
        }
        return facts
    }

    /// How the schema stands to what this program needs.
    static func schema(_ ask: ([Migration]) async throws -> [MigrationStatus]) async -> [StoreFact] {
        do {
            let statuses = try await ask(Migrations.all(StoreFactory.migrations))
            let pending = statuses.count { $0.state == .pending }
            var facts = [
                StoreFact("relational", "schema", "\(statuses.count { $0.state == .applied }) migrations applied")
            ]
            if pending > 0 {
                facts.append(
                    StoreFact("relational", "schema", "\(pending) pending; vigil migrate up applies them", .warning))
            }
            for status in statuses where status.state != .applied && status.state != .pending {
                facts.append(
                    StoreFact(
                        "relational", "schema", "migration \(status.number) \(status.name) is \(status.state)",
                        .problem))
            }
            return facts
        } catch {
            return [StoreFact("relational", "schema", "\(error)", .problem)]
        }
    }
}
