package import VigilModel
import VigilPorts

/// A reading as it is kept: its values, and the object as sent where there was one.
package struct ReadingView: Codable, Sendable {
    /// The device's time.
    package var time: String
    /// When it reached us.
    ///
    /// Exact for what came in JSON, and for the others but where large batches overlap in time: then it may be the
    /// arrival of another of them.
    package var arrival: String?
    package var readingType: String?
    package var labels: Labels
    /// Metric → value, as stored.
    package var values: [String: JSONValue]
    /// Metric → unit, as far as it is known.
    package var units: [String: String]
    /// The object as sent.
    package var value: JSONValue?
    /// 0 to 100, of the least trusted value.
    package var quality: Int
    /// Whether handler and rules have run.
    package var processed: Bool
}

extension QueryService {
    private struct Key: Hashable {
        let time: Timestamp
        let labels: Labels
    }

    /// Readings of a device, newest first.
    ///
    /// - Returns: At most `limit` readings, and the cursor of the next page.
    package func readings(
        ofDevice reference: String, metric: String?, range: TimeRange, cursor: String?, limit: Int,
        in scope: AccessScope
    ) async throws -> (items: [ReadingView], next: String?) {
        let tenant = try AlertingService.tenant(of: scope)
        let device = try await device(reference, tenant: tenant, in: scope)
        var end = range.end
        var skipped = 0
        if let cursor {
            let parts = cursor.split(separator: ".").compactMap { Int64($0) }
            guard parts.count == 2 else {
                throw ServiceError.invalid(
                    "cursor", "is not one that this server gave out", code: "request.cursor")
            }
            end = min(end, Timestamp(microseconds: parts[0] + 1))
            skipped = Int(parts[1])
        }
        let progress = try await progress(of: device.id, tenant: tenant, in: scope)
        guard let newest = progress.newest else { return ([], nil) }
        let unjudged = try await JournalEntry.entries(after: progress.through, of: tenant, in: stores)
        end = min(end, newest + Span(microseconds: 1))
        let units = try await units(of: [device.id], tenant: tenant, in: scope)[device.id] ?? [:]
        var width = max(Span(microseconds: device.expectedInterval.microseconds * Int64(limit)), .hours(1))
        var found: [(time: Timestamp, view: ReadingView)] = []
        while end > range.start, found.count <= limit + skipped {
            let start = max(range.start, end - width)
            do {
                found += try await rows(
                    device, metric: metric, range: TimeRange(start, end), units: units,
                    evaluatedThrough: progress.through, unjudged: unjudged, in: scope)
            } catch let error as StoreError where error.code == .limit && width > .seconds(1) {
                width = Span(microseconds: width.microseconds / 8)
                continue
            }
            end = start
            if start <= Timestamp(microseconds: 0) { break }
            width = Span(microseconds: width.microseconds.multipliedReportingOverflow(by: 4).partialValue)
            if width.microseconds <= 0 || width > .days(366 * 100) { width = .days(366 * 100) }
        }
        let rest = found.dropFirst(skipped)
        var items = Array(rest.prefix(limit))
        let arrivals = try await BatchArrival.arrivals(
            of: items.filter { $0.view.arrival == nil }.map(\.time), device: device.id, tenant: tenant, in: stores)
        for place in items.indices where items[place].view.arrival == nil {
            items[place].view.arrival = arrivals[items[place].time]?.description
        }
        guard rest.count > limit, let last = items.last else { return (items.map(\.view), nil) }
        let same = found.prefix(skipped + limit).count { $0.time == last.time }
        return (items.map(\.view), "\(last.time.microseconds).\(same)")
    }

    private func progress(of device: DeviceID, tenant: TenantID, in scope: AccessScope) async throws
        -> (newest: Timestamp?, through: Int64)
    {
        await alerting.settle(tenant)
        let known = try await stores.relational.read(in: scope) { transaction in
            let newest = try transaction.rows(
                "SELECT last_seen FROM device_activity WHERE tenant_id = \(tenant) AND device_id = \(device)"
            ).first?.get("last_seen", as: Timestamp.self)
            let through = try transaction.rows(
                "SELECT evaluated_through FROM ingest_progress WHERE tenant_id = \(tenant)"
            ).first?.get("evaluated_through", as: Int64.self)
            return (newest, through ?? 0)
        }
        // Activity is written once a second, so the newest reading may be a little newer.
        return (known.0.map { max($0, clock.now()) + .days(1) }, known.1)
    }

    /// All readings of a stretch of time, newest first.
    private func rows(
        _ device: DeviceEntry, metric: String?, range: TimeRange, units: [String: String], evaluatedThrough: Int64,
        unjudged: [JournalEntry], in scope: AccessScope
    ) async throws -> [(time: Timestamp, view: ReadingView)] {
        var rows: [Key: ReadingView] = [:]
        var order: [Key] = []
        let cursor = try await stores.series.samples(
            SeriesSelection([], devices: [device.id], range: range, sampleLimit: 500_000), in: scope)
        while let piece = try await cursor.next() {
            let name = piece.identity.metric
            for sample in piece.samples {
                let key = Key(time: sample.time, labels: piece.identity.labels)
                var row =
                    rows[key]
                    ?? ReadingView(
                        time: sample.time.description, labels: piece.identity.labels, values: [:], units: [:],
                        quality: 100, processed: !unjudged.contains { $0.mayHold(device.id, sample.time) })
                if rows[key] == nil { order.append(key) }
                if name.hasPrefix(StoredReading.field) {
                    Self.addObject(sample, name: name, to: &row, evaluatedThrough: evaluatedThrough)
                } else if !name.hasPrefix("__") {
                    row.values[name] = sample.value.json
                    row.units[name] = units[name]
                    row.quality = min(row.quality, Int(sample.quality.rawValue))
                }
                rows[key] = row
            }
        }
        return order.sorted { $0.time > $1.time || ($0.time == $1.time && $0.labels.all.count < $1.labels.all.count) }
            .compactMap { key in
                guard let row = rows[key], metric.map({ row.values[$0] != nil }) ?? true else { return nil }
                return (key.time, row)
            }
    }

    private static func addObject(
        _ sample: Sample, name: String, to row: inout ReadingView, evaluatedThrough: Int64
    ) {
        guard case .object(let text) = sample.value, let stored = try? JSONValue(parsing: text) else { return }
        if let arrival = stored["a"]?.double {
            row.arrival = Timestamp(microseconds: Int64(arrival)).description
            // A batch's number is never less than its arrival.
            row.processed = Int64(arrival) <= evaluatedThrough
        }
        let parts = name.split(separator: ":", maxSplits: 1)
        if parts.count == 2 { row.readingType = String(parts[1]) }
        row.value = stored["r"]
    }
}
