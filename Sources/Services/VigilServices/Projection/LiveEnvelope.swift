package import VigilModel

/// One live message as clients read it, with what decides who may.
package struct LiveEnvelope: Sendable, Hashable {
    /// What happened: `alert.raised`, `readings.device.<id>`, `resync`.
    package let type: String
    /// The position in the outbox up to which the client has heard everything it subscribed to; given back as
    /// `last_sequence` after a lost connection.
    package let sequence: Int64
    /// The device whose visibility decides.
    package let device: DeviceID?
    /// What it happened to, for messages of the outbox.
    package let aggregate: String?
    package let aggregateID: String?
    /// What clients see: an object with type, data, sequence and timestamp.
    package let json: [UInt8]

    package init(
        type: String, data: JSONValue, sequence: Int64, timestamp: Timestamp, device: DeviceID? = nil,
        aggregate: String? = nil, aggregateID: String? = nil
    ) {
        self.type = type
        self.sequence = sequence
        self.device = device
        self.aggregate = aggregate
        self.aggregateID = aggregateID
        json = Array(
            JSONValue.object([
                "type": .string(type), "data": data, "sequence": .integer(sequence),
                "timestamp": .string(timestamp.description),
            ]).canonicalText.utf8)
    }

    init(_ entry: OutboxEntryContent) {
        self.init(
            type: entry.type, data: entry.data, sequence: entry.position, timestamp: entry.time, device: entry.device,
            aggregate: entry.aggregate, aggregateID: entry.aggregateID)
    }

    // MARK: On the bus

    /// As it goes over the bus: a line with what decides who hears it, then what clients see.
    ///
    /// Whoever hears the bus need not read the JSON: most messages have no listener, and the others get it as it is.
    package var busPayload: [UInt8] {
        let heading = [String(sequence), type, device?.description ?? "", aggregate ?? "", aggregateID ?? ""]
        var payload: [UInt8] = []
        payload.reserveCapacity(heading.reduce(heading.count) { $0 + $1.utf8.count } + json.count)
        for (place, part) in heading.enumerated() {
            if place > 0 { payload.append(UInt8(ascii: "\t")) }
            for byte in part.utf8 {
                let ends = byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
                payload.append(ends ? UInt8(ascii: " ") : byte)
            }
        }
        payload.append(UInt8(ascii: "\n"))
        payload += json
        return payload
    }

    /// What `busPayload` says; `nil` for anything else.
    package init?(busPayload payload: [UInt8]) {
        guard let end = payload.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let heading = payload[..<end].split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard heading.count == 5, let sequence = Int64(heading[0]) else { return nil }
        self.sequence = sequence
        type = heading[1]
        device = DeviceID(heading[2])
        aggregate = heading[3].isEmpty ? nil : heading[3]
        aggregateID = heading[4].isEmpty ? nil : heading[4]
        json = Array(payload[(end + 1)...])
    }

    // MARK: Who hears it

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
