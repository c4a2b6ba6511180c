import VigilModel
import VigilPorts

/// Keeps the rule books of the tenants in memory.
///
/// A change in this process is seen at once; changes by other processes come over the bus, and since the bus may lose a
/// message, no book is believed for longer than a minute.
actor RuleShelf {
    private struct Held {
        let book: RuleBook
        let until: Timestamp
    }

    private let relational: any RelationalStore
    private let bus: any Bus
    private let clock: any TimeSource
    private var held: [TenantID: Held] = [:]
    private var edition = 0

    init(stores: Stores, clock: any TimeSource) {
        relational = stores.relational
        bus = stores.bus
        self.clock = clock
    }

    /// The rules of a tenant, with those that handlers bring.
    func book(of tenant: TenantID) async throws -> RuleBook {
        if let known = held[tenant], known.until > clock.now() { return known.book }
        let mark = edition
        let (rules, trees) = try await relational.read(in: SystemScope.tenant(tenant, "rule evaluation")) {
            transaction in
            let rules = try transaction.rows("SELECT * FROM rules WHERE tenant_id = \(tenant) ORDER BY id")
                .map { try Rule(row: $0) }
            return (rules, try RuleShelf.trees(of: rules, tenant: tenant, in: transaction))
        }
        edition += 1
        let compiled = try rules.map { rule in
            CompiledRule(
                key: rule.id.description, id: rule.id, version: rule.version, definition: rule.definition,
                schedule: try rule.definition.schedule?.compiled(),
                locations: rule.definition.scope.location.map { trees[$0] ?? [$0] })
        }
        let book = RuleBook(edition: edition, rules: compiled + HandlerRules.all)
        if mark + 1 == edition { held[tenant] = Held(book: book, until: clock.now() + .minutes(1)) }
        return book
    }

    /// Forgets a tenant's rules: something about them, or about the places they name, has changed.
    func forget(_ tenant: TenantID) {
        edition += 1
        held[tenant] = nil
    }

    /// Tells this and other processes that the rules of a tenant have changed.
    func changed(_ tenant: TenantID) async {
        forget(tenant)
        // The others read again within a minute in any case.
        try? await bus.publish(BusMessage(topic: "rules.\(tenant)", payload: []))
    }

    /// Listens for changes that other processes make, until the task is cancelled.
    func run() async throws {
        while !Task.isCancelled {
            for await message in try await bus.subscribe("rules.*", buffer: 256) {
                if let tenant = TenantID(String(message.topic.dropFirst("rules.".count))) { forget(tenant) }
            }
            held = [:]
        }
        try Task.checkCancellation()
    }

    /// For each location that a rule names, itself and everything below it.
    private static func trees(of rules: [Rule], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [LocationID: Set<LocationID>]
    {
        var trees: [LocationID: Set<LocationID>] = [:]
        for root in Set(rules.compactMap(\.definition.scope.location)) {
            let rows = try transaction.rows(
                """
                WITH RECURSIVE tree (id, depth) AS (
                    SELECT id, 0 FROM locations WHERE tenant_id = \(tenant) AND id = \(root)
                    UNION ALL
                    SELECT l.id, t.depth + 1 FROM locations l JOIN tree t ON l.parent_id = t.id
                    WHERE l.tenant_id = \(tenant) AND t.depth < 64
                )
                SELECT id FROM tree
                """)
            trees[root] = Set(try rows.map { try $0.get("id", as: LocationID.self) })
        }
        return trees
    }
}
