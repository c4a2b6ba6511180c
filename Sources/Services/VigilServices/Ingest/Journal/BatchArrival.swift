import Foundation
import VigilModel
import VigilPorts

/// When the readings of a batch reached us, kept as long as they are.
///
/// One entry for each batch, in the series `__batch` of its tenant, appended together with the batch: a reading costs
/// nothing. Its time is the batch's number; it names the batch's devices and the times of their readings: each time where
/// the batch is small, the span of each device where it has few devices, and otherwise one span for all.
///
/// Of several batches that may have had a reading, the last one counts, as its value does. So the answer is exact but
/// where large batches of one device, or of many, overlap in time: then it may be the arrival of the other batch.
///
/// Entries are found by the time of a reading without looking at all of them, because a batch's labels say how far its
/// readings were behind our clock, and ahead of it: one at `t` is in no entry later than `t` and 8ⁿ seconds.
struct BatchArrival: Codable, Sendable {
    static let field = "__batch"
    /// The least n for which no reading is more than 8ⁿ seconds behind.
    static let behindLabel = "__behind"
    /// The same ahead; absent where none is.
    static let aheadLabel = "__ahead"
    /// Up to so many rows, each time is named.
    static let rowsMax = 64
    /// Up to so many devices, each is named.
    static let devicesMax = 64
    /// 8¹⁰ seconds are 34 years; what is older shares the last label.
    static let distanceMax = 11

    /// Devices with the same times.
    struct Group: Codable, Sendable {
        /// Eight hexadecimal digits for each device; absent for any device.
        var d: String?
        /// The times of their readings, before the batch's number, in microseconds.
        var t: [Int64]?
        /// Where the times are not named: the first and the last.
        var f: Int64?
        var l: Int64?
    }

    /// Arrival, in microseconds since 1970.
    var a: Int64
    var g: [Group]

    /// What is kept of a batch; `nil` when no reading of it names a device.
    static func table(of prepared: PreparedRows, number: Int64, arrival: Timestamp) -> ReadingTable? {
        var first = Int64.max
        var last = Int64.min
        var spans: [DeviceID: (first: Int64, last: Int64)] = [:]
        var rowCount = 0
        for (part, extent) in zip(prepared.parts, prepared.extents) where extent.rowCount > 0 {
            guard let device = part.deviceID else { continue }
            rowCount += extent.rowCount
            first = min(first, extent.firstTime)
            last = max(last, extent.lastTime)
            guard spans.count <= devicesMax else { continue }
            let known = spans[device]
            spans[device] = (
                min(known?.first ?? extent.firstTime, extent.firstTime),
                max(known?.last ?? extent.lastTime, extent.lastTime)
            )
        }
        guard rowCount > 0 else { return nil }
        let groups: [Group]
        if rowCount <= rowsMax {
            groups = timed(prepared, number: number)
        } else if spans.count <= devicesMax {
            let devices = Dictionary(grouping: spans.keys) { [spans[$0]?.first ?? 0, spans[$0]?.last ?? 0] }
            groups = devices.map { span, devices in
                Group(d: names(of: devices), f: number - span[0], l: number - span[1])
            }
        } else {
            groups = [Group(f: number - first, l: number - last)]
        }
        let text = json(arrival: arrival.microseconds, groups.sorted { ($0.d ?? "") < ($1.d ?? "") })
        return ReadingTable(
            source: source(behind: distance(number - first), ahead: distance(last - number)), times: [number],
            columns: [ReadingColumn(field: field, values: .objects([text]))])
    }

    private static func source(behind: Int, ahead: Int) -> SeriesSource {
        SeriesSource(
            device: nil, labels: Labels([behindLabel: String(behind), aheadLabel: ahead == 0 ? "" : String(ahead)]))
    }

    private static func timed(_ prepared: PreparedRows, number: Int64) -> [Group] {
        var times: [DeviceID: Set<Int64>] = [:]
        for row in prepared.rows.rows {
            guard let device = prepared.parts[Int(row.part)].deviceID else { continue }
            times[device, default: []].insert(number - row.time)
        }
        return Dictionary(grouping: times.keys) { times[$0] ?? [] }.map { times, devices in
            Group(d: names(of: devices), t: times.sorted())
        }
    }

    private static func names(of devices: [DeviceID]) -> String { devices.map(name).sorted().joined() }

    private static func name(_ device: DeviceID) -> String { String(device.description.suffix(8)) }

    /// Written by hand: it is written for each batch.
    private static func json(arrival: Int64, _ groups: [Group]) -> String {
        var text = "{\"a\":\(arrival),\"g\":["
        for (place, group) in groups.enumerated() {
            var members: [String] = []
            if let devices = group.d { members.append("\"d\":\"\(devices)\"") }
            if let times = group.t { members.append("\"t\":\(times)") }
            if let first = group.f, let last = group.l { members.append("\"f\":\(first),\"l\":\(last)") }
            text += (place == 0 ? "{" : ",{") + members.joined(separator: ",") + "}"
        }
        return text + "]}"
    }

    /// 0 for nothing, otherwise the least n ≥ 1 for which 8ⁿ seconds are not less than this.
    private static func distance(_ microseconds: Int64) -> Int {
        var distance = 0
        while distance < distanceMax, microseconds > width(distance) { distance += 1 }
        return distance
    }

    private static func width(_ distance: Int) -> Int64 {
        switch distance {
        case ...0: 0
        case ..<distanceMax: 1_000_000 << (3 * Int64(distance))
        default: .max / 4
        }
    }

    // MARK: - Reading

    /// When the readings of a device at these times reached us, as far as it is known.
    static func arrivals(
        of times: [Timestamp], device: DeviceID, tenant: TenantID, in stores: Stores
    ) async throws -> [Timestamp: Timestamp] {
        guard !times.isEmpty else { return [:] }
        let scope = SystemScope.tenant(tenant, "ingest")
        let sorted = Set(times.map(\.microseconds)).sorted()
        var found: [Int64: (number: Int64, arrival: Int64)] = [:]
        for series in try await stores.series.series(SeriesSelection([.metric(field)]), in: scope) {
            let behind = width(series.labels[behindLabel].flatMap { Int($0) } ?? distanceMax)
            let ahead = width(series.labels[aheadLabel].flatMap { Int($0) } ?? 0)
            for range in ranges(of: sorted, behind: behind, ahead: ahead) {
                try await look(through: range, of: series, in: stores, scope: scope) { number, entry in
                    for time in sorted where found[time].map({ $0.number < number }) ?? true {
                        if entry.holds(name(device), number - time) { found[time] = (number, entry.a) }
                    }
                }
            }
        }
        return found.reduce(into: [:]) { result, item in
            result[Timestamp(microseconds: item.key)] = Timestamp(microseconds: item.value.arrival)
        }
    }

    /// The stretches of numbers in which entries with readings at these times may be.
    private static func ranges(of times: [Int64], behind: Int64, ahead: Int64) -> [TimeRange] {
        var ranges: [TimeRange] = []
        for time in times {
            let start = Timestamp(microseconds: time - ahead)
            let end = Timestamp(microseconds: time.addingReportingOverflow(behind + 1).partialValue)
            if let last = ranges.last, start <= last.end {
                ranges[ranges.count - 1] = TimeRange(last.start, end)
            } else {
                ranges.append(TimeRange(start, end))
            }
        }
        return ranges
    }

    private static func look(
        through range: TimeRange, of series: SeriesIdentity, in stores: Stores, scope: AccessScope,
        _ body: (Int64, BatchArrival) -> Void
    ) async throws {
        let labels = [behindLabel, aheadLabel].map { LabelMatcher($0, .equal, series.labels[$0] ?? "") }
        let cursor = try await stores.series.samples(
            SeriesSelection([.metric(field)] + labels, range: range), in: scope)
        let decoder = JSONDecoder()
        while let piece = try await cursor.next() {
            for sample in piece.samples {
                guard case .object(let text) = sample.value,
                    let entry = try? decoder.decode(BatchArrival.self, from: Data(text.utf8))
                else { continue }
                body(sample.time.microseconds, entry)
            }
        }
    }

    private func holds(_ name: String, _ before: Int64) -> Bool {
        g.contains { group in
            if let times = group.t {
                guard times.contains(before) else { return false }
            } else {
                guard let first = group.f, let last = group.l, last <= before, before <= first else { return false }
            }
            guard let devices = group.d else { return true }
            var rest = Substring(devices)
            while !rest.isEmpty {
                if rest.hasPrefix(name) { return true }
                rest = rest.dropFirst(name.count)
            }
            return false
        }
    }
}
