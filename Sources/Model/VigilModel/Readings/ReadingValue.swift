/// One reported value, of one of the five kinds that a series can hold.
package enum ReadingValue: Hashable, Sendable {
    case float(Double)
    case integer(Int64)
    case boolean(Bool)
    case text(String)
    /// Any other JSON, as its text: objects and lists are stored as sent.
    case object(String)

    package enum Kind: UInt8, Hashable, Sendable, CaseIterable, Codable {
        case float = 0
        case integer = 1
        case boolean = 2
        case text = 3
        case object = 4
    }

    package var kind: Kind {
        switch self {
        case .float: .float
        case .integer: .integer
        case .boolean: .boolean
        case .text: .text
        case .object: .object
        }
    }

    /// The value as a number, a boolean as 0 or 1; `nil` for text and objects, which queries do not see.
    package var number: Double? {
        switch self {
        case .float(let value): value
        case .integer(let value): Double(value)
        case .boolean(let value): value ? 1 : 0
        case .text, .object: nil
        }
    }

    /// The value as JSON.
    ///
    /// What JSON cannot write as a number (NaN, infinities) is a string, as in the Prometheus API.
    package var json: JSONValue {
        switch self {
        case .float(let value):
            value.isFinite ? .number(value) : .string(value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf")
        case .integer(let value): .integer(value)
        case .boolean(let value): .bool(value)
        case .text(let value): .string(value)
        case .object(let value): (try? JSONValue(parsing: value)) ?? .string(value)
        }
    }
}

/// How far a reading can be trusted, 0 (not at all) to 100 (as the source reports it).
package struct Quality: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = min(rawValue, 100)
    }

    package static let good = Quality(rawValue: 100)
    /// Outside the valid range of the device's profile: kept, and marked.
    package static let outOfRange = Quality(rawValue: 40)
    /// The device's clock was too far from ours.
    package static let clockSkew = Quality(rawValue: 60)
    package static let bad = Quality(rawValue: 0)
}

/// A value of a series at a time.
package struct Sample: Hashable, Sendable {
    package let time: Timestamp
    package let value: ReadingValue
    package let quality: Quality

    package init(time: Timestamp, value: ReadingValue, quality: Quality = .good) {
        self.time = time
        self.value = value
        self.quality = quality
    }
}
