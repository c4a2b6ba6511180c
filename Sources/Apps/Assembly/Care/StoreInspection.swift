import VigilPorts
import VigilServices

/// Asks stores to look at themselves.
enum StoreInspection {
    static func facts(of stores: Stores) async throws -> [StoreFact] {
        var facts: [StoreFact] = []
        for store in [stores.relational, stores.series] as [any Sendable] {
            if let store = store as? any StoreInspecting { facts += try await store.inspection() }
        }
        return facts
    }
}
