import VigilModel
import VigilPorts

extension IngestService {
    /// Stores prepared tables and has them judged.
    func store(
        _ prepared: [PreparedTable], refusals: Refusals, form: String, arrival: Timestamp, principal: Principal,
        tenant: TenantID
    ) async throws -> IngestReceipt {
        var refusals = refusals
        var tables = try await named(prepared, refusals: &refusals, tenant: tenant)
        let accepted = tables.reduce(0) { sum, table in
            sum + table.table.columns.reduce(0) { $0 + ($1.field.hasPrefix("__") ? 0 : $1.presentCount) }
        }
        try await tenants.admit(accepted)
        do {
            let receipt = try await append(
                &tables, accepted: accepted, refusals: refusals, form: form, arrival: arrival, principal: principal,
                tenant: tenant)
            await tenants.release(accepted)
            return receipt
        } catch {
            await tenants.release(accepted)
            throw error
        }
    }

    private func append(
        _ tables: inout [PreparedTable], accepted: Int, refusals: Refusals, form: String, arrival: Timestamp,
        principal: Principal, tenant: TenantID
    ) async throws -> IngestReceipt {
        let ingest = await tenants.ingest(of: tenant)
        let (number, waiting) = try await ingest.begin()
        await resume(waiting, ingest: ingest)
        let entry = JournalEntry(
            number: number, arrival: arrival, sender: principal.name, form: form, accepted: accepted,
            refusals: refusals, tables: tables)
        do {
            _ = try await stores.series.append(
                ReadingBatch(tables: tables.map(\.table) + [try entry.table()], arrival: arrival),
                in: SystemScope.tenant(tenant, "ingest"))
        } catch {
            await ingest.abandon(number)
            throw error
        }
        let currentFrom = arrival - alerting.settings.lateness
        let work = EvaluationWork(
            parts: tables.map {
                EvaluationWork.Part(device: $0.device, table: $0.table, units: $0.units, currentFrom: currentFrom)
            })
        var processed = true
        do {
            try await evaluate(work, entry: entry, heard: Self.heard(tables), ingest: ingest)
        } catch {
            // It is durable: the sender need not send it again, and `run` judges it later.
            await ingest.postpone(number)
            processed = false
        }
        await fields?.note(tables, tenant: tenant)
        await publish(tables, ingest: ingest, at: arrival)
        return IngestReceipt(
            accepted: accepted, refused: refusals.count, refusals: refusals.first, processed: processed)
    }

    private static func heard(_ tables: [PreparedTable]) -> [TenantIngest.Heard] {
        var newest: [DeviceID: Int64] = [:]
        for table in tables {
            guard let device = table.device?.id, let last = table.table.times.max() else { continue }
            newest[device] = max(newest[device] ?? .min, last)
        }
        return newest.map { TenantIngest.Heard(device: $0.key, last: Timestamp(microseconds: $0.value)) }
    }

    /// Refuses columns whose names belong to somebody else, marks what is out of range, and settles units.
    private func named(_ prepared: [PreparedTable], refusals: inout Refusals, tenant: TenantID) async throws
        -> [PreparedTable]
    {
        let ingest = await tenants.ingest(of: tenant)
        var names: [String: TenantIngest.Owner] = [:]
        for table in prepared {
            for column in table.table.columns where !column.field.hasPrefix("__") {
                let source = table.table.source
                names[source.metric(of: column.field)] = TenantIngest.Owner(
                    measurement: source.measurement, field: column.field)
            }
        }
        let taken = try await ingest.claim(names)
        var result = prepared
        if !taken.isEmpty {
            for place in result.indices { Self.refuse(taken, in: &result[place], refusals: &refusals) }
            result.removeAll { $0.table.columns.isEmpty }
        }
        for place in result.indices { Self.markRanges(&result[place]) }
        return try await withUnits(result, ingest: ingest)
    }

    private static func refuse(_ taken: Set<String>, in table: inout PreparedTable, refusals: inout Refusals) {
        let source = table.table.source
        for index in table.table.columns.indices.reversed()
        where taken.contains(source.metric(of: table.table.columns[index].field)) {
            refusals.add(
                Refusal(
                    line: 0, code: "metric.taken",
                    reason: "Another measurement and field made this metric's name first."),
                times: table.table.columns[index].presentCount)
            table.table.columns.remove(at: index)
            table.units.remove(at: index)
        }
    }

    /// Values out of the device's valid range are kept and marked.
    private static func markRanges(_ table: inout PreparedTable) {
        guard let device = table.device, !device.ranges.isEmpty else { return }
        for index in table.table.columns.indices {
            let column = table.table.columns[index]
            let metric = table.table.source.metric(of: column.field)
            guard let range = device.ranges[metric] ?? device.ranges[column.field] else { continue }
            var quality: [UInt8]?
            for row in 0..<column.values.count {
                guard let number = column[row]?.number, !range.contains(number) else { continue }
                var marks =
                    quality ?? column.quality ?? Array(repeating: Quality.good.rawValue, count: column.values.count)
                quality = nil
                marks[row] = min(marks[row], Quality.outOfRange.rawValue)
                quality = marks
            }
            if let quality { table.table.columns[index].quality = quality }
        }
    }

    private func withUnits(_ tables: [PreparedTable], ingest: TenantIngest) async throws -> [PreparedTable] {
        var reported: [TenantIngest.DeviceMetric: (unit: String?, kind: ReadingValue.Kind)] = [:]
        var result = tables
        for place in result.indices {
            guard let device = result[place].device else { continue }
            for (index, column) in result[place].table.columns.enumerated() where !column.field.hasPrefix("__") {
                let metric = result[place].table.source.metric(of: column.field)
                let unit = result[place].units[index] ?? device.units[metric] ?? device.units[column.field]
                let key = TenantIngest.DeviceMetric(device: device.id, metric: metric)
                reported[key] = (unit ?? reported[key]?.unit ?? nil, column.values.kind)
            }
        }
        let units = try await ingest.settleUnits(reported)
        for place in result.indices {
            guard let device = result[place].device else { continue }
            for (index, column) in result[place].table.columns.enumerated() {
                let metric = result[place].table.source.metric(of: column.field)
                result[place].units[index] =
                    units[TenantIngest.DeviceMetric(device: device.id, metric: metric)] ?? nil
            }
        }
        return result
    }

    /// Tells who listens what is new: one message for each device, at most five a second.
    private func publish(_ tables: [PreparedTable], ingest: TenantIngest, at now: Timestamp) async {
        let due = await ingest.dueLive(Set(tables.compactMap(\.device?.id)), at: now)
        var messages: [DeviceID: LiveReadings] = [:]
        for table in tables {
            guard let device = table.device, due.contains(device.id) else { continue }
            var message = messages[device.id] ?? LiveReadings(device)
            message.add(table)
            messages[device.id] = message
        }
        for message in messages.values {
            // A lost live message is no loss: pages read the latest values again.
            try? await stores.bus.publish(
                BusMessage(topic: "readings.\(ingest.tenant)", payload: Array(message.json.canonicalText.utf8)))
        }
    }
}

/// What goes over the bus of a device's newest readings.
///
/// Written member by member: it is made for every device of every batch, and an encoder takes ten times as long.
struct LiveReadings: Sendable {
    private let entry: DeviceEntry
    private var readings: [JSONValue] = []

    init(_ entry: DeviceEntry) {
        self.entry = entry
    }

    mutating func add(_ table: PreparedTable) {
        guard let row = table.table.times.indices.max(by: { table.table.times[$0] < table.table.times[$1] }) else {
            return
        }
        let time = JSONValue.string(Timestamp(microseconds: table.table.times[row]).description)
        for (index, column) in table.table.columns.enumerated() where !column.field.hasPrefix("__") {
            guard let value = column[row] else { continue }
            var members: [String: JSONValue] = [
                "metric": .string(table.table.source.metric(of: column.field)), "value": value.json, "time": time,
            ]
            if let unit = table.units[index] { members["unit"] = .string(unit) }
            readings.append(.object(members))
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "device": .string(entry.id.description), "code": .string(entry.code), "name": .string(entry.name),
            "readings": .array(readings),
        ]
        if let site = entry.site { members["site"] = .string(site.description) }
        return .object(members)
    }
}
