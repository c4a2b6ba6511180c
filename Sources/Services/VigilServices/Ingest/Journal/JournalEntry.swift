import Foundation
import VigilModel
import VigilPorts

/// What the ingest journal keeps of a batch until it is evaluated.
///
/// The journal is a series of the batch's own tenant, `__journal`, and its entry is appended together with the batch: one
/// sync makes both durable. Its time is the batch's number. After a crash the entries past `evaluated_through` say which
/// series have to be judged again, and from where.
struct JournalEntry: Codable, Sendable {
    static let field = "__journal"
    static let source = SeriesSource(device: nil)
    /// Of a batch with more devices, the readings of all devices between its times are judged again.
    static let devicesMax = 256

    var number: Int64
    var arrival: Int64
    var log: UUIDText
    var sender: String
    var form: String
    var accepted: Int
    var refused: Int
    var refusals: [Refusal]
    /// Whose readings the batch had; `nil` when they are too many to name.
    var devices: [DeviceID]?
    var first: Int64?
    var last: Int64?

    struct UUIDText: Codable, Sendable {
        var id: EntryID
    }

    func table() -> ReadingTable {
        let text = String(decoding: json.bytes, as: UTF8.self)
        return ReadingTable(
            source: Self.source, times: [number], columns: [ReadingColumn(field: Self.field, values: .objects([text]))])
    }

    /// Written by hand: a batch may name thousands of devices.
    private var json: JSONBytes {
        var json = JSONBytes()
        json.raw("{\"number\":\(number),\"arrival\":\(arrival),\"log\":{\"id\":\"\(log.id)\"},\"sender\":")
        json.text(sender)
        json.raw(",\"form\":")
        json.text(form)
        json.raw(",\"accepted\":\(accepted),\"refused\":\(refused)")
        if let first, let last { json.raw(",\"first\":\(first),\"last\":\(last)") }
        if let devices {
            json.raw(",\"devices\":[")
            for (place, device) in devices.enumerated() {
                json.raw(place == 0 ? "\"" : "\",\"")
                json.raw(device.description)
            }
            json.raw(devices.isEmpty ? "]" : "\"]")
        }
        json.raw(",\"refusals\":[")
        for (place, refusal) in refusals.enumerated() {
            json.raw(place == 0 ? "{\"line\":" : ",{\"line\":")
            json.raw("\(refusal.line),\"code\":")
            json.text(refusal.code)
            json.raw(",\"reason\":")
            json.text(refusal.reason)
            json.raw("}")
        }
        json.raw("]}")
        return json
    }

    /// The entries past `number`, oldest first.
    static func entries(after number: Int64, of tenant: TenantID, in stores: Stores) async throws -> [JournalEntry] {
        let cursor = try await stores.series.samples(
            SeriesSelection(
                [.metric(field)],
                range: TimeRange(Timestamp(microseconds: number + 1), Timestamp(microseconds: .max))),
            in: SystemScope.tenant(tenant, "ingest"))
        var entries: [JournalEntry] = []
        while let piece = try await cursor.next() { entries += piece.samples.compactMap(JournalEntry.init(sample:)) }
        return entries.sorted { $0.number < $1.number }
    }

    /// Whether the batch may have had a reading of `device` at `time`.
    func mayHold(_ device: DeviceID, _ time: Timestamp) -> Bool {
        guard let first, let last, devices?.contains(device) ?? true else { return false }
        return (first...last).contains(time.microseconds)
    }

    init?(sample: Sample) {
        guard case .object(let text) = sample.value,
            let entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(text.utf8))
        else { return nil }
        self = entry
    }

    init(
        number: Int64, arrival: Timestamp, sender: String, form: String, accepted: Int, refusals: Refusals,
        devices: [DeviceID], extents: [ReadingRows.Extent]
    ) {
        self.number = number
        self.arrival = arrival.microseconds
        log = UUIDText(id: EntryID(at: arrival))
        self.sender = String(sender.prefix(255))
        self.form = form
        self.accepted = accepted
        refused = refusals.count
        self.refusals = Array(refusals.first.prefix(20))
        self.devices = devices.count <= Self.devicesMax ? devices : nil
        let (first, last) = extents.reduce((Int64.max, Int64.min)) { span, extent in
            (min(span.0, extent.firstTime), max(span.1, extent.lastTime))
        }
        self.first = first <= last ? first : nil
        self.last = first <= last ? last : nil
    }

    var status: String { refused == 0 ? "success" : accepted > 0 ? "partial" : "error" }
}
