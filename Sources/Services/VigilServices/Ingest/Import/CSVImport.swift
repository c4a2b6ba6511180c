import CSV
import Foundation
import VigilModel
import VigilPorts

/// What to read from a CSV file.
package struct CSVImport: Sendable {
    package var device: String
    package var metric: String
    package var unit: String?
    package var timeColumn = "timestamp"
    package var valueColumn = "value"
    /// For times without an offset; UTC when absent.
    package var timeZone: String?
    /// Whether the rules judge the imported range too.
    package var evaluate = false

    package init(device: String, metric: String) {
        self.device = device
        self.metric = metric
    }
}

/// What became of a file.
package struct ImportReceipt: Codable, Sendable {
    /// Rows of the file, without its header.
    package var rows: Int
    /// Readings that are new: different times.
    package var stored: Int
    /// Rows that replaced a reading of the same time, of this file or of before.
    package var replaced: Int
    package var refused: Int
    package var refusals: [Refusal]
    package var first: String?
    package var last: String?
    /// Alerts that this import raised.
    package var alerts: Int
}

extension IngestService {
    /// Imports a CSV file as it streams.
    package func importCSV(
        _ pieces: any AsyncSequence<[UInt8], any Error> & Sendable, _ plan: CSVImport, by principal: Principal
    ) async throws -> ImportReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        try ReadingHandler.checkName(plan.metric)
        if let unit = plan.unit, Unit(unit) == nil {
            throw ServiceError.invalid("unit", "is not a known unit, such as degC, bar, m3/h, kWh or %")
        }
        guard let zone = plan.timeZone.map(TimeZone.init(identifier:)) ?? TimeZone(secondsFromGMT: 0) else {
            throw ServiceError.invalid("timeZone", "is not a known time zone")
        }
        let found = try await find([plan.device], scope: scope, tenant: tenant) { _ in
            .object(["metric": .string(plan.metric)])
        }
        guard let device = try found.first?.get() else { throw ServiceError.notFound("device") }
        var run = ImportRun(plan: plan, device: device, zone: zone)
        var reader = CSVReader()
        do {
            for try await piece in pieces {
                var records: [CSVRecord] = []
                let fault = piece.withUnsafeBytes { bytes -> CSVError? in
                    do throws(CSVError) { try reader.feed(bytes, into: &records) } catch { return error }
                    return nil
                }
                // The lines before what is wrong are good.
                try await take(records, &run, by: principal, tenant: tenant)
                if let fault { throw fault }
            }
            try await take(try reader.finish(), &run, by: principal, tenant: tenant)
        } catch let error as CSVError {
            guard run.hasHeader else {
                throw ServiceError(.invalid, "csv.malformed", "The file is no CSV: \(error).")
            }
            run.end(with: error)
        }
        try await flush(&run, by: principal, tenant: tenant)
        return try await finish(run, tenant: tenant)
    }

    private func take(_ records: [CSVRecord], _ run: inout ImportRun, by principal: Principal, tenant: TenantID)
        async throws
    {
        for record in records {
            try run.take(record, latest: clock.now() + settings.futureMax)
            if run.times.count >= settings.importChunk { try await flush(&run, by: principal, tenant: tenant) }
        }
    }

    private func flush(_ run: inout ImportRun, by principal: Principal, tenant: TenantID) async throws {
        guard !run.times.isEmpty else { return }
        let arrival = clock.now()
        try check(run.entry, time: arrival, arrival: arrival)
        var builder = BatchBuilder(isNormalised: false)
        for ((time, value), line) in zip(zip(run.times, run.values), run.lines) {
            builder.add(
                [(run.plan.metric, .float(value))], unit: run.plan.unit, quality: nil,
                time: Timestamp(microseconds: time), labels: .none, device: run.device, line: line)
        }
        var refusals = Refusals()
        let parts = try await tenants.ingest(of: tenant).route(builder.wanted, sourcesAreKept: false)
        let prepared = PreparedRows(builder.rows, parts, lines: builder.lines, refusals: &refusals)
        run.refuse(refusals)
        let times = prepared.rows.rows.map(\.time)
        let fresh = try await fresh(times, run, tenant: tenant)
        _ = try await store(
            prepared, refusals: run.chunkRefusals, form: "csv", arrival: arrival, principal: principal, tenant: tenant)
        if let taken = refusals.first.first(where: { $0.code == "metric.taken" }) {
            throw ServiceError(.conflict, "metric.taken", taken.reason)
        }
        run.note(times, fresh: fresh)
    }

    /// How many of the times have no reading yet.
    private func fresh(_ times: [Int64], _ run: ImportRun, tenant: TenantID) async throws -> Int {
        guard let low = times.min(), let high = times.max() else { return 0 }
        let range = TimeRange(Timestamp(microseconds: low), Timestamp(microseconds: high + 1))
        let selection = SeriesSelection([.metric(run.plan.metric)], devices: [run.entry.id], range: range)
        let cursor = try await stores.series.samples(selection, in: SystemScope.tenant(tenant, "ingest"))
        var existing: Set<Int64> = []
        while let piece = try await cursor.next() {
            guard piece.identity.labels.isEmpty else { continue }
            for sample in piece.samples { existing.insert(sample.time.microseconds) }
        }
        return Set(times).subtracting(existing).count
    }

    private func finish(_ run: ImportRun, tenant: TenantID) async throws -> ImportReceipt {
        var receipt = ImportReceipt(
            rows: run.rows, stored: run.stored, replaced: run.replaced, refused: run.refusals.count,
            refusals: run.refusals.first, first: run.low.map { Timestamp(microseconds: $0).description },
            last: run.high.map { Timestamp(microseconds: $0).description }, alerts: 0)
        if run.plan.evaluate, let low = run.low, let high = run.high {
            let range = TimeRange(Timestamp(microseconds: low), Timestamp(microseconds: high + 1))
            let ingest = await tenants.ingest(of: tenant)
            let (device, metric) = (run.entry.id, run.plan.metric)
            let units = try await ingest.settleUnits(
                of: [device], reported: run.plan.unit.map { [device: [metric: $0]] } ?? [:])
            receipt.alerts = try await alerting.evaluatePast(
                SeriesIdentity(device: device, metric: metric, labels: .none), device: run.entry,
                unit: units[device]?[metric], watchedAs: run.device.handler.watchedAs(metric), range: range,
                tenant: tenant)
        }
        return receipt
    }
}

/// An import on its way.
struct ImportRun {
    let plan: CSVImport
    let device: KnownDevice
    let zone: TimeZone
    private var header: CSVHeader?
    private(set) var times: [Int64] = []
    private(set) var values: [Double] = []
    /// The line of each.
    private(set) var lines: [Int] = []
    private(set) var rows = 0
    private(set) var stored = 0
    private(set) var replaced = 0
    /// Of the whole file, and of the rows since the last chunk was stored.
    private(set) var refusals = Refusals()
    private(set) var chunkRefusals = Refusals()
    private(set) var low: Int64?
    private(set) var high: Int64?

    var entry: DeviceEntry { device.entry }
    var hasHeader: Bool { header != nil }

    init(plan: CSVImport, device: KnownDevice, zone: TimeZone) {
        self.plan = plan
        self.device = device
        self.zone = zone
    }

    mutating func take(_ record: CSVRecord, latest: Timestamp) throws(ServiceError) {
        guard let header else {
            guard let header = CSVHeader(record) else {
                throw ServiceError(.invalid, "csv.header", "The file's first line must name its columns, each once.")
            }
            for (field, column) in [("timeColumn", plan.timeColumn), ("valueColumn", plan.valueColumn)]
            where header.index(of: column) == nil {
                throw Self.absent(column, as: field, in: record)
            }
            self.header = header
            return
        }
        rows += 1
        guard let timeText = header[plan.timeColumn, in: record], let text = header[plan.valueColumn, in: record] else {
            let missing = header[plan.timeColumn, in: record] == nil ? plan.timeColumn : plan.valueColumn
            return refuse(record, "csv.column", "The line is too short: it has no column \(missing).")
        }
        guard let time = CSVTime.time(of: timeText, zone: zone) else {
            return refuse(
                record, "csv.time",
                "The time cannot be read: RFC 3339, YYYY-MM-DD HH:MM:SS, or a whole number since 1970 can.")
        }
        guard time <= latest else {
            return refuse(record, "csv.time", "The time is after \(latest.description.prefix(19))Z, too far ahead.")
        }
        guard let value = Double(text.trimmingCharacters(in: .whitespaces)), value.isFinite else {
            return refuse(record, "csv.value", "The value is not a number.")
        }
        times.append(time.microseconds)
        values.append(value)
        lines.append(record.line)
    }

    /// Names the columns that there are, as far as they are short and few.
    private static func absent(_ column: String, as field: String, in record: CSVRecord) -> ServiceError {
        let names = record.fields.prefix(20).map { $0.prefix(40).trimmingCharacters(in: .whitespacesAndNewlines) }
        let more = record.fields.count > 20 ? ", …" : ""
        let reason =
            "names no column of the file: there is no \(column.prefix(40)); it has \(names.joined(separator: ", "))\(more)"
        return ServiceError(
            .invalid, "csv.header", "\(field) \(reason)", fields: [FieldFault(field: field, reason: reason)])
    }

    /// A chunk is stored: readings of these times, of which some are new.
    mutating func note(_ kept: [Int64], fresh: Int) {
        stored += fresh
        replaced += kept.count - fresh
        if let first = kept.min(), let last = kept.max() {
            low = min(low ?? first, first)
            high = max(high ?? last, last)
        }
        times = []
        values = []
        lines = []
        chunkRefusals = Refusals()
    }

    /// What the device's handler refuses of the chunk.
    mutating func refuse(_ found: Refusals) {
        refusals.add(found)
        chunkRefusals.add(found)
    }

    /// The file cannot be read further; what it had until there stays.
    mutating func end(with error: CSVError) {
        rows += 1
        refuse(
            Refusal(
                line: error.line, code: "csv.malformed",
                reason: "\(error); nothing after this was read."))
    }

    private mutating func refuse(_ record: CSVRecord, _ code: StaticString, _ reason: String) {
        refuse(Refusal(line: record.line, code: code, reason: reason))
    }

    private mutating func refuse(_ refusal: Refusal) {
        refusals.add(refusal)
        chunkRefusals.add(refusal)
    }
}

/// The times that files write: RFC 3339, `YYYY-MM-DD HH:MM[:SS]` in a zone, or seconds and milliseconds since 1970.
enum CSVTime {
    static func time(of text: String, zone: TimeZone) -> Timestamp? {
        let text = text.trimmingCharacters(in: .whitespaces)
        if let number = Int64(text) { return try? ReadingTime.time(of: .integer(number)) }
        if let time = Timestamp(text) { return time }
        var local = text.replacing(" ", with: "T", maxReplacements: 1)
        if local.utf8.count == 10 { local += "T00:00:00" }
        if local.utf8.count == 16 { local += ":00" }
        guard let time = Timestamp(local + "Z") else { return nil }
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: time.secondsSince1970))
        let guess = time - .seconds(Int64(offset))
        let exact = zone.secondsFromGMT(for: Date(timeIntervalSince1970: guess.secondsSince1970))
        return time - .seconds(Int64(exact))
    }
}
