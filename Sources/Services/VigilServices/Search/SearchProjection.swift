import VigilModel
package import VigilPorts

/// Keeps search and geometry in step with devices, sites, locations and alerts, by the outbox.
///
/// The first time, and when it was away for so long that the outbox does not reach back, it fills both anew. What an
/// entry names is read from the truth, so an entry that is read twice does no harm.
package actor SearchProjection {
    package static let consumer = "search"
    static let pollInterval = Span.seconds(1)
    static let batchSize = 500

    private let relational: any RelationalStore
    private let search: any SearchStore
    private let geometry: any GeometryStore
    private let clock: any TimeSource
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// `nil` until it is known how far the projection is.
    private var position: OutboxPosition?

    package init(stores: Stores, search: any SearchStore, geometry: any GeometryStore, clock: any TimeSource) {
        relational = stores.relational
        self.search = search
        self.geometry = geometry
        self.clock = clock
    }

    /// Follows the outbox until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let wake = arrivals.continuation
            group.addTask { [clock] in
                while true {
                    wake.yield()
                    try await clock.wait(for: Self.pollInterval)
                }
            }
            group.addTask { [relational] in
                for await _ in relational.outboxArrivals() { wake.yield() }
            }
            for await _ in arrivals.stream {
                do {
                    try await catchUp()
                } catch let error as StoreError where error.mayBeTriedAgain {
                    // A store that is away is asked again at the next arrival.
                    continue
                }
                if Task.isCancelled { break }
            }
            group.cancelAll()
        }
    }

    /// Brings everything up to what the outbox holds now.
    package func catchUp() async throws {
        var position: OutboxPosition
        if let known = self.position {
            position = known
        } else if let saved = try await savedPosition() {
            position = saved
        } else {
            position = try await rebuild()
        }
        while true {
            let entries = try await relational.outbox(after: position, limit: Self.batchSize)
            guard let last = entries.last else { break }
            try await apply(entries)
            position = last.position
            try await save(position)
        }
        self.position = position
    }

    /// Drops what there is and fills it from the truth.
    ///
    /// - Returns: The position in the outbox up to which it then is.
    @discardableResult
    package func rebuild() async throws -> OutboxPosition {
        // Looked up first: what comes while it is filled is then read again, which does no harm.
        let (position, tenants) = try await relational.read(in: Self.everything) { transaction in
            let newest = try transaction.rows("SELECT max(position) AS newest FROM outbox").first?
                .optional("newest", as: Int64.self)
            let tenants = try transaction.rows("SELECT id FROM tenants ORDER BY id").map {
                try $0.get("id", as: TenantID.self)
            }
            return (OutboxPosition(rawValue: newest ?? 0), tenants)
        }
        for tenant in tenants {
            let scope = SystemScope.tenant(tenant, "filling search anew")
            try await search.removeAll(in: scope)
            try await geometry.removeAll(in: scope)
            for source in SearchSource.allCases {
                var last: String?
                while let page = try await page(of: source, after: last, in: scope) {
                    try await refresh(source, page, in: scope)
                    last = page.last
                }
            }
        }
        try await save(position)
        self.position = position
        return position
    }

    private func page(of source: SearchSource, after last: String?, in scope: AccessScope) async throws -> [String]? {
        let page = try await relational.read(in: scope) { transaction in
            try source.keys(after: last, limit: Self.batchSize, transaction)
        }
        return page.isEmpty ? nil : page
    }

    private func apply(_ entries: [OutboxEntry]) async throws {
        var touched: [TenantID: [SearchSource: Set<String>]] = [:]
        for entry in entries {
            guard let tenant = entry.message.tenant, let source = SearchSource(rawValue: entry.message.aggregate),
                entry.message.type != "device.state"
            else { continue }
            touched[tenant, default: [:]][source, default: []].insert(entry.message.aggregateID)
        }
        for (tenant, sources) in touched {
            let scope = SystemScope.tenant(tenant, "keeping search in step")
            for (source, keys) in sources { try await refresh(source, keys.sorted(), in: scope) }
        }
    }

    /// Reads what `keys` name as it is now, and removes what is no longer there.
    private func refresh(_ source: SearchSource, _ keys: [String], in scope: AccessScope) async throws {
        let found = try await relational.read(in: scope) { transaction in try source.read(keys, transaction) }
        try await search.put(found.documents, in: scope)
        let documented = Set(found.documents.map(\.key))
        try await search.remove(source.rawValue, keys: keys.filter { !documented.contains($0) }, in: scope)
        var placed = Set<String>()
        for feature in found.features {
            do {
                try await geometry.put([feature], in: scope)
                placed.insert(feature.key)
            } catch {
                // A geometry that crosses itself can be shown on a map, but nothing can be said to lie in it.
                guard error.code == .invalid else { throw error }
            }
        }
        try await geometry.remove(source.rawValue, keys: keys.filter { !placed.contains($0) }, in: scope)
    }

    // MARK: The position

    private static let everything = SystemScope.allTenants("keeping search in step")

    /// How far it is, unless entries after that are gone already.
    private func savedPosition() async throws -> OutboxPosition? {
        try await relational.read(in: Self.everything) { transaction in
            let saved = try transaction.rows(
                "SELECT position FROM consumer_cursors WHERE consumer = \(Self.consumer)"
            ).first?.get("position", as: Int64.self)
            let oldest = try transaction.rows("SELECT min(position) AS oldest FROM outbox").first?
                .optional("oldest", as: Int64.self)
            guard let saved else { return nil }
            // The oldest entry being the next one proves that none between was pruned.
            if let oldest, oldest > saved + 1 {
                let isPruned = try transaction.rows("SELECT position FROM outbox WHERE position = \(saved)").isEmpty
                if isPruned { return nil }
            }
            return OutboxPosition(rawValue: saved)
        }
    }

    private func save(_ position: OutboxPosition) async throws {
        let now = clock.now()
        try await relational.write(in: Self.everything) { transaction in
            try transaction.execute(
                """
                INSERT INTO consumer_cursors (consumer, position, updated)
                VALUES (\(Self.consumer), \(position.rawValue), \(now))
                ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, updated = excluded.updated
                """)
        }
    }
}
