import VigilModel
package import VigilPorts

/// A series store under test.
package struct SeriesSubject: Sendable {
    package let store: any SeriesStore
    /// Ends the store and opens it again on the same data.
    package let reopened: @Sendable () async throws -> any SeriesStore
    /// What the store declares to lack.
    package let lacks: Set<Lack>

    package enum Lack: String, Sendable, Hashable {
        /// A batch with a bad part is stored in part.
        case atomicBatches
        /// NaN and infinities cannot be stored.
        case notFinite
        /// A batch has no arrival time of its own.
        case arrival
        /// Objects come back as texts.
        case objects
    }

    package init(
        _ store: any SeriesStore, lacks: Set<Lack> = [],
        reopened: @escaping @Sendable () async throws -> any SeriesStore
    ) {
        self.store = store
        self.lacks = lacks
        self.reopened = reopened
    }
}

/// A tenant of its own for one clause, with short words for what clauses do.
struct SeriesRoom: Sendable {
    let store: any SeriesStore
    let tenant = TenantID(at: Timestamp(seconds: 1_700_000_000))
    var scope: AccessScope { AccessScope(tenant: tenant) }

    static let arrival = Timestamp(seconds: 1_700_000_500)

    init(_ store: any SeriesStore) {
        self.store = store
    }

    /// A moment `second` seconds after the beginning of the test's time.
    static func at(_ second: Int64) -> Timestamp { Timestamp(seconds: 1_700_000_000 + second) }

    static func range(_ first: Int64, _ end: Int64) -> TimeRange { TimeRange(at(first), at(end)) }

    static func table(
        _ metric: String, _ readings: [(Int64, ReadingValue)], device: DeviceID? = nil, labels: Labels = .none
    ) -> [ReadingTable] {
        let source = SeriesSource(device: device, labels: labels)
        return readings.map { second, value in
            ReadingTable(
                source: source, times: [at(second).microseconds],
                columns: [ReadingColumn(field: metric, values: .init(value))])
        }
    }

    @discardableResult
    func append(
        _ metric: String, _ readings: [(Int64, ReadingValue)], device: DeviceID? = nil, labels: Labels = .none,
        arrival: Timestamp = Self.arrival
    ) async throws -> LogPosition {
        let tables = Self.table(metric, readings, device: device, labels: labels)
        return try await store.append(ReadingBatch(tables: tables, arrival: arrival), in: scope)
    }

    @discardableResult
    func append(_ metric: String, floats: [(Int64, Double)], labels: Labels = .none) async throws -> LogPosition {
        try await append(metric, floats.map { ($0.0, .float($0.1)) }, labels: labels)
    }

    /// The samples of the selection, by series.
    func samples(
        _ matchers: [LabelMatcher] = [], devices: Set<DeviceID>? = nil, range: TimeRange = .always,
        limit: Int? = nil, scope: AccessScope? = nil
    ) async throws -> [SeriesIdentity: [Sample]] {
        let selection = SeriesSelection(matchers, devices: devices, range: range, sampleLimit: limit)
        let cursor = try await store.samples(selection, in: scope ?? self.scope)
        var result: [SeriesIdentity: [Sample]] = [:]
        while let piece = try await cursor.next() { result[piece.identity, default: []] += piece.samples }
        return result
    }

    /// The values of one metric in order, with the second of each.
    func values(_ metric: String, range: TimeRange = .always) async throws -> [Reading] {
        try await samples([.metric(metric)], range: range).values.flatMap { $0 }.map {
            Reading(second: ($0.time - Self.at(0)).microseconds / 1_000_000, value: $0.value)
        }
    }

    func windows(
        _ metric: String, _ range: TimeRange, step: Int64, _ aggregates: [WindowQuery.Aggregate]
    ) async throws -> [SeriesWindows] {
        let query = WindowQuery(
            SeriesSelection([.metric(metric)], range: range), step: .seconds(step), aggregates: aggregates)
        return try await store.windows(query, in: scope)
    }

    func latest(_ metric: String) async throws -> LatestSample? {
        try await store.latest([.metric(metric)], in: scope).first
    }

    func metrics(_ matchers: [LabelMatcher], scope: AccessScope? = nil) async throws -> [String] {
        try await store.series(SeriesSelection(matchers), in: scope ?? self.scope).map(\.metric).sorted()
    }

    @discardableResult
    func delete(_ metric: String, _ range: TimeRange = .always) async throws -> Int {
        try await store.delete(SeriesSelection([.metric(metric)], range: range), in: scope)
    }
}

/// A value with its second, for comparing.
struct Reading: Hashable {
    let second: Int64
    let value: ReadingValue

    init(second: Int64, value: ReadingValue) {
        self.second = second
        self.value = value
    }

    init(_ second: Int64, _ value: Double) {
        self.init(second: second, value: .float(value))
    }
}

/// Throws unless `body` throws a ``StoreError`` with one of the codes.
func requireError<Result>(_ codes: StoreError.Code..., body: () async throws -> Result) async throws {
    do {
        _ = try await body()
    } catch let error as StoreError {
        try require(codes.contains(error.code), "threw \(error.code.rawValue)")
        return
    }
    throw ContractBroken("did not throw \(codes.map(\.rawValue))")
}
