import Foundation
import VigilModel

/// What the ingest journal keeps of a batch until it is evaluated.
///
/// The journal is a series of the batch's own tenant, `__journal`, and its entry is appended together with the batch: one
/// sync makes both durable. Its time is the batch's number. After a crash the entries past `evaluated_through` say which
/// series have to be judged again, and from where.
struct JournalEntry: Codable, Sendable {
    static let field = "__journal"
    static let source = SeriesSource(device: nil)

    var number: Int64
    var arrival: Int64
    var log: UUIDText
    var sender: String
    var form: String
    var accepted: Int
    var refused: Int
    var refusals: [Refusal]
    var devices: [DeviceID]
    var first: Int64?
    var last: Int64?

    struct UUIDText: Codable, Sendable {
        var id: EntryID
    }

    func table() throws -> ReadingTable {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        return ReadingTable(
            source: Self.source, times: [number], columns: [ReadingColumn(field: Self.field, values: .objects([text]))])
    }

    init?(sample: Sample) {
        guard case .object(let text) = sample.value,
            let entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(text.utf8))
        else { return nil }
        self = entry
    }

    init(
        number: Int64, arrival: Timestamp, sender: String, form: String, accepted: Int, refusals: Refusals,
        tables: [PreparedTable]
    ) {
        self.number = number
        self.arrival = arrival.microseconds
        log = UUIDText(id: EntryID(at: arrival))
        self.sender = String(sender.prefix(255))
        self.form = form
        self.accepted = accepted
        refused = refusals.count
        self.refusals = Array(refusals.first.prefix(20))
        devices = Array(Set(tables.compactMap(\.device?.id)))
        first = tables.compactMap { $0.table.times.min() }.min()
        last = tables.compactMap { $0.table.times.max() }.max()
    }

    var status: String { refused == 0 ? "success" : accepted > 0 ? "partial" : "error" }
}
