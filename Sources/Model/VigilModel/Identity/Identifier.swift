/// A 128-bit identifier, printed as a UUID, whose type says what it names.
///
/// New identifiers are UUIDv7 (RFC 9562): their first 48 bits are milliseconds since 1970, so rows that are made
/// together lie together in an index, and ordering by identifier is ordering by creation.
package struct Identifier<Named>: Hashable, Sendable {
    /// Bits 127…64.
    package let high: UInt64
    /// Bits 63…0.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a new version 7 identifier.
    ///
    /// - Parameters:
    ///   - time: The moment of creation; only its milliseconds are kept.
    ///   - generator: The source of the 74 random bits.
    package init(at time: Timestamp, using generator: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(clamping: max(0, time.microseconds / 1000)) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | generator.next() & 0x0FFF
        low = 0x8000_0000_0000_0000 | generator.next() & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Makes a new version 7 identifier from the system's random numbers.
    package init(at time: Timestamp) {
        var generator = PooledRandomness()
        self.init(at: time, using: &generator)
    }

    /// The same bits under another name: a discovered device keeps its identifier when it is claimed.
    package func renamed<Other>(as: Other.Type = Other.self) -> Identifier<Other> {
        Identifier<Other>(high: high, low: low)
    }
}

extension Identifier: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Identifier: LosslessStringConvertible {
    /// Reads the 8-4-4-4-12 form of a UUID, in either case.
    ///
    /// Anything else is `nil`.
    package init?(_ description: String) {
        var digits: (high: UInt64, low: UInt64) = (0, 0)
        var count = 0
        var position = 0
        for byte in description.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = Self.hexadecimalDigit(byte) else { return nil }
                if count < 16 { digits.high = digits.high << 4 | digit } else { digits.low = digits.low << 4 | digit }
                count += 1
            }
            position += 1
        }
        guard position == 36 else { return nil }
        self.init(high: digits.high, low: digits.low)
    }

    /// The lower-case 8-4-4-4-12 form.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - (index % 16) * 4) & 0xF)
                buffer[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
                place += 1
            }
            return place
        }
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension Identifier: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identifier = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not a UUID")
        }
        self = identifier
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Identifier {
    /// When it was made, to the millisecond; meaningless for what is not version 7.
    package var created: Timestamp { Timestamp(milliseconds: Int64(high >> 16)) }
}
