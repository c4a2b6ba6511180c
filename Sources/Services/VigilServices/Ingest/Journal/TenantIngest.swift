import LineProtocol
import VigilModel
import VigilPorts

/// What the ingest of one tenant remembers between batches: numbers, who is being written, who was heard when.
actor TenantIngest {
    let tenant: TenantID
    private let stores: Stores
    let clock: any TimeSource
    private let directory: DeviceDirectory
    let settings: IngestSettings
    private var isOpen = false
    private var lastNumber: Int64 = 0
    /// Batches that are stored or about to be, and not yet evaluated.
    private var unfinished: Set<Int64> = []
    /// Those of them whose evaluation failed, to be tried again.
    private var postponed: Set<Int64> = []
    /// How far the journal was pruned, and when.
    private var prunedThrough = Int64.min
    private var prunedAt: Timestamp?
    private var owners: [String: Owner] = [:]
    /// Of each device that is here, all units that are known of its metrics.
    private var units: [DeviceID: [String: String]] = [:]
    // For `TenantIngest+Routes`.
    var parts: [PartKey: RoutedPart] = [:]
    var sources: [SeriesSource: SeriesSource] = [:]
    var shapes: [FieldList: RowShape] = [:]
    var metricNames: [NamesKey: MetricNames] = [:]
    var lineParts = OpenTable<ObjectPair, LinePart>()
    var keyOfSource: [ObjectIdentifier: ObjectIdentifier] = [:]
    var deviceNumbers: [DeviceID: Int] = [:]
    var traces: [Trace] = []
    /// Counts the batches that were heard.
    private var hearing = 0
    /// Whether two keys of lines were seen that mean one source.
    var hasAliases = false
    /// The keys of lines, by their bytes.
    nonisolated let keys = LineSourceCache()
    var budget: ReadingBudget?

    struct Owner: Hashable, Sendable {
        let measurement: String
        let field: String
    }

    /// When a device was heard, by its clock and by ours.
    struct Heard: Sendable {
        let device: DeviceID
        var last: Timestamp
        /// The place of the device among the traces; -1 when it was not looked up.
        var number = -1
    }

    init(
        tenant: TenantID, stores: Stores, clock: any TimeSource, directory: DeviceDirectory, settings: IngestSettings
    ) {
        self.tenant = tenant
        self.stores = stores
        self.clock = clock
        self.directory = directory
        self.settings = settings
    }

    /// Gives out the number of a new batch; the first call reads how far the tenant is.
    ///
    /// - Returns: The number, and entries of the journal that wait since an earlier run.
    func begin() async throws -> (number: Int64, waiting: [JournalEntry]) {
        var waiting: [JournalEntry] = []
        if !isOpen { waiting = try await open() }
        lastNumber = max(lastNumber + 1, clock.now().microseconds)
        unfinished.insert(lastNumber)
        return (lastNumber, waiting)
    }

    /// The entries past what is evaluated that nobody works on.
    func waitingEntries() async throws -> [JournalEntry] {
        if !isOpen { return try await open() }
        let progress = try await progress()
        let waiting = try await entries(after: progress).filter { postponed.contains($0.number) }
        postponed.subtract(waiting.map(\.number))
        return waiting
    }

    private func open() async throws -> [JournalEntry] {
        let progress = try await progress()
        let waiting = try await entries(after: progress)
        if isOpen { return [] }
        isOpen = true
        lastNumber = max(lastNumber, progress, waiting.last?.number ?? 0)
        unfinished.formUnion(waiting.map(\.number))
        return waiting
    }

    private func progress() async throws -> Int64 {
        let (tenant, start, now) = (tenant, clock.now().microseconds - 1, clock.now())
        return try await stores.relational.write(in: SystemScope.tenant(tenant, "ingest")) { transaction in
            try transaction.execute(
                """
                INSERT INTO ingest_progress (tenant_id, evaluated_through, updated_at)
                VALUES (\(tenant), \(start), \(now)) ON CONFLICT (tenant_id) DO NOTHING
                """)
            return try transaction.rows("SELECT evaluated_through FROM ingest_progress WHERE tenant_id = \(tenant)")
                .first?.get("evaluated_through") ?? start
        }
    }

    private func entries(after number: Int64) async throws -> [JournalEntry] {
        try await JournalEntry.entries(after: number, of: tenant, in: stores)
    }

    /// Takes entries away that nobody needs any more; once a minute is enough.
    func pruneJournal() async throws {
        let now = clock.now()
        guard isOpen, lastNumber > prunedThrough, prunedAt.map({ now - $0 >= .minutes(1) || now < $0 }) ?? true
        else { return }
        prunedAt = now
        let through = try await progress()
        guard through > prunedThrough else { return }
        _ = try await stores.series.delete(
            SeriesSelection(
                [.metric(JournalEntry.field)],
                range: TimeRange(.distantPast, Timestamp(microseconds: through + 1))),
            in: SystemScope.tenant(tenant, "ingest"))
        prunedThrough = through
    }

    /// Forgets a batch that was not stored.
    func abandon(_ number: Int64) { unfinished.remove(number) }

    /// A batch is durable, and could not be evaluated: it waits for another try.
    func postpone(_ number: Int64) { postponed.insert(number) }

    /// A batch is evaluated and committed.
    func finish(_ number: Int64) { unfinished.remove(number) }

    /// How far everything is evaluated once `number` is.
    func evaluatedThrough(with number: Int64) -> Int64 {
        let others = unfinished.filter { $0 != number }
        return others.min().map { $0 - 1 } ?? max(lastNumber, number)
    }

    func isUnfinished(_ number: Int64) -> Bool { unfinished.contains(number) }

    // MARK: - Names

    /// Makes `owner` the one that a metric's name belongs to, unless it has another.
    ///
    /// - Returns: The metrics whose names belong to somebody else.
    func claim(_ names: [String: Owner]) async throws -> Set<String> {
        let fresh = names.filter { owners[$0.key] == nil }
        if !fresh.isEmpty {
            let (tenant, now) = (tenant, clock.now())
            let found = try await stores.relational.write(in: SystemScope.tenant(tenant, "ingest")) { transaction in
                var found: [String: Owner] = [:]
                for (metric, owner) in fresh {
                    try transaction.execute(
                        """
                        INSERT INTO metric_names (tenant_id, metric, measurement, field, first_seen)
                        VALUES (\(tenant), \(metric), \(owner.measurement), \(owner.field), \(now))
                        ON CONFLICT (tenant_id, metric) DO NOTHING
                        """)
                    let row = try transaction.rows(
                        """
                        SELECT measurement, field FROM metric_names
                        WHERE tenant_id = \(tenant) AND metric = \(metric)
                        """
                    ).first
                    if let row {
                        found[metric] = Owner(measurement: try row.get("measurement"), field: try row.get("field"))
                    }
                }
                return found
            }
            if owners.count > 200_000 { owners = [:] }
            owners.merge(found) { $1 }
        }
        return Set(names.filter { owners[$0.key] != nil && owners[$0.key] != $0.value }.keys)
    }

    /// The metric under which a device's handler watches another metric, which came in lines or a file; `nil` when it
    /// does not.
    ///
    /// - Parameter others: What the device reported with it. A handler gives every reading in JSON its own metric, so
    ///   what stands beside that is not watched a second time.
    func watchedAs(_ metric: String, of device: DeviceEntry?, beside others: Set<String>) async throws -> String? {
        guard let device else { return nil }
        let handler = ReadingHandler(named: device.handler)
        guard handler != .custom, let owner = try await owner(of: metric),
            !owner.measurement.isEmpty || !others.contains(handler.defaultMetric)
        else { return nil }
        return handler.watchedAs(owner.field)
    }

    private func owner(of metric: String) async throws -> Owner? {
        if let known = owners[metric] { return known }
        let tenant = tenant
        let found = try await stores.relational.read(in: SystemScope.tenant(tenant, "ingest")) { transaction in
            try transaction.rows(
                "SELECT measurement, field FROM metric_names WHERE tenant_id = \(tenant) AND metric = \(metric)"
            ).first.map { Owner(measurement: try $0.get("measurement"), field: try $0.get("field")) }
        }
        if let found { owners[metric] = found }
        return found
    }

    /// The units of devices' metrics, with those that are reported now; a new or changed one is written.
    ///
    /// - Returns: Of each of `devices`, all that are known.
    func settleUnits(of devices: Set<DeviceID>, reported: [DeviceID: [String: String]]) async throws
        -> [DeviceID: [String: String]]
    {
        var known: [DeviceID: [String: String]] = [:]
        var unread: [DeviceID] = []
        for device in devices {
            if let units = units[device] { known[device] = units } else { unread.append(device) }
        }
        if !unread.isEmpty { known.merge(try await DeviceUnit.units(of: unread, tenant: tenant, in: stores)) { $1 } }
        let changed = reported.flatMap { device, metrics in
            metrics.filter { known[device]?[$0.key] != $0.value }.map {
                DeviceUnit(device: device, metric: $0.key, unit: $0.value)
            }
        }
        if !changed.isEmpty {
            try await DeviceUnit.save(changed, tenant: tenant, at: clock.now(), in: stores)
            // Parts that know an older unit, or none, are made anew.
            if changed.contains(where: { units[$0.device] != nil }) { forgetParts() }
            for unit in changed {
                known[unit.device, default: [:]][unit.metric] = unit.unit
                if units[unit.device] != nil { units[unit.device]?[unit.metric] = unit.unit }
            }
            await directory.forgetUnits(of: tenant)
        }
        // A device with parts is always here, or its parts would not be made anew when its units change.
        if units.count + unread.count > Self.routesMax {
            units = [:]
            forgetParts()
        }
        for device in unread {
            if let meanwhile = units[device] { known[device] = meanwhile } else { units[device] = known[device] ?? [:] }
        }
        return known
    }

    private func forgetParts() {
        parts.removeAll(keepingCapacity: true)
        lineParts.removeAll()
    }

    // MARK: - Activity

    /// Whom a batch heard, and when last.
    func heard(_ prepared: PreparedRows) -> [Heard] {
        hearing += 1
        var heard: [Heard] = []
        heard.reserveCapacity(prepared.parts.count)
        for (part, extent) in zip(prepared.parts, prepared.extents) where extent.rowCount > 0 {
            guard let device = part.deviceID else { continue }
            let (number, last) = (part.deviceNumber, Timestamp(microseconds: extent.lastTime))
            if traces[number].hearing == hearing {
                let place = traces[number].place
                if last > heard[place].last { heard[place].last = last }
            } else {
                traces[number].hearing = hearing
                traces[number].place = heard.count
                heard.append(Heard(device: device, last: last, number: number))
            }
        }
        return heard
    }

    /// Those whose activity is due to be written, and whether anybody waits for it: one of them was silent for a while.
    func dueActivity(_ heard: [Heard], at now: Timestamp) -> (due: [Heard], isNews: Bool) {
        var isNews = false
        let due = heard.filter { item in
            let number = item.number < 0 ? self.number(of: item.device) : item.number
            if let last = traces[number].written, now >= last {
                if now - last < settings.activityInterval { return false }
                if now - last >= settings.silenceMax { isNews = true }
            } else {
                isNews = true
            }
            traces[number].written = now
            return true
        }
        return (due, isNews)
    }

    /// What is remembered of a device between batches.
    struct Trace {
        /// When its readings went over the bus last.
        var published = Timestamp.distantPast
        /// When its activity was written last.
        var written: Timestamp?
        /// The batch that heard it last, and its place among those that the batch heard.
        var hearing = 0
        var place = 0
    }

    /// The parts whose devices' newest readings may go over the bus now.
    func dueLive(_ prepared: PreparedRows, at now: Timestamp) -> [Int] {
        var due: [Int] = []
        for (place, part) in prepared.parts.enumerated() where part.deviceNumber >= 0 {
            guard prepared.extents[place].rowCount > 0 else { continue }
            let last = traces[part.deviceNumber].published
            // A device's further parts of the same batch go with the first.
            if last != now, now - last < settings.liveInterval, now >= last { continue }
            traces[part.deviceNumber].published = now
            due.append(place)
        }
        return due
    }
}
