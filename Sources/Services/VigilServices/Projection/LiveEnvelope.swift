import Foundation
package import VigilModel

/// One live message as clients read it, with what decides who may.
package struct LiveEnvelope: Sendable, Hashable, Codable {
    /// What happened: `alert.raised`, `readings.device.<id>`, `resync`.
    package var type: String
    package var data: JSONValue
    /// The position in the outbox up to which the client has heard everything it subscribed to; give it back as
    /// `last_sequence` after a lost connection.
    package var sequence: Int64
    package var timestamp: Timestamp
    /// The device whose visibility decides.
    package var device: DeviceID?
    /// What it happened to, for messages of the outbox.
    package var aggregate: String?
    package var aggregateID: String?

    package init(
        type: String, data: JSONValue, sequence: Int64, timestamp: Timestamp, device: DeviceID? = nil,
        aggregate: String? = nil, aggregateID: String? = nil
    ) {
        self.type = type
        self.data = data
        self.sequence = sequence
        self.timestamp = timestamp
        self.device = device
        self.aggregate = aggregate
        self.aggregateID = aggregateID
    }

    init(_ entry: OutboxEntryContent) {
        self.init(
            type: entry.type, data: entry.data, sequence: entry.position, timestamp: entry.time, device: entry.device,
            aggregate: entry.aggregate, aggregateID: entry.aggregateID)
    }

    /// The four members that clients see, as JSON.
    package var clientJSON: [UInt8] {
        Array(
            JSONValue.object([
                "type": .string(type), "data": data, "sequence": .integer(sequence),
                "timestamp": .string(timestamp.description),
            ]).canonicalText.utf8)
    }

    /// The permission that hearing it takes: reading what its type begins with.
    var permission: Permission {
        let noun = type.prefix { $0 != "." }
        return Permission(noun == "readings" ? "reading" : String(noun), "read")
    }

    /// Whether `pattern`, a type or a beginning that ends in `*`, names this type.
    func fits(_ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? type.hasPrefix(pattern.dropLast()) : type == pattern
    }
}

/// An outbox entry, wherever it was read.
struct OutboxEntryContent {
    let position: Int64
    let type: String
    let aggregate: String
    let aggregateID: String
    let device: DeviceID?
    let data: JSONValue
    let time: Timestamp
}
