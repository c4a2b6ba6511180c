#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads bytes from the front.
///
/// All positions count from `base`, and no read goes past `end`.
struct ByteCursor {
    let base: UnsafePointer<UInt8>
    var position: Int
    /// The end of the line's content: the position of its line feed, or of the carriage return before it.
    var end: Int

    @inline(__always) var isAtEnd: Bool { position >= end }
    /// The byte at hand; only valid before the end.
    @inline(__always) var byte: UInt8 { base[position] }

    func bytes(from start: Int, to end: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + start, count: end - start)
    }

    @inline(__always)
    mutating func skipSpaces() {
        while position < end, base[position] == Byte.space { position += 1 }
    }

    /// The position of the next `byte` at or after `start`, before `limit`.
    @inline(__always)
    static func find(_ byte: UInt8, in base: UnsafePointer<UInt8>, from start: Int, to limit: Int) -> Int? {
        guard start < limit, let found = memchr(base + start, Int32(byte), limit - start) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// Moves to the first space that no backslash escapes, or to the end.
    @inline(__always)
    mutating func skipKey() {
        while true {
            // Eight bytes at a time while none of them is a space or a backslash.
            while position + 8 <= end {
                let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self)
                if Self.hasZeroByte(word ^ 0x2020_2020_2020_2020) || Self.hasZeroByte(word ^ 0x5C5C_5C5C_5C5C_5C5C) {
                    break
                }
                position += 8
            }
            while position < end, base[position] != Byte.space, base[position] != Byte.backslash { position += 1 }
            guard position < end, base[position] == Byte.backslash else { return }
            position += position + 1 < end && base[position + 1] == Byte.space ? 2 : 1
        }
    }

    @inline(__always)
    private static func hasZeroByte(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }

    /// A seeded hash of some bytes: folded 64 × 64-bit products, eight bytes at a time.
    @inline(__always)
    func hash(from start: Int, to end: Int, seed: UInt64) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: end - start)
        var position = start
        while position + 8 <= end {
            hash = Self.fold(
                hash ^ UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self), 0x9E37_79B9_7F4A_7C15)
            position += 8
        }
        var rest: UInt64 = 0
        while position < end {
            rest = rest << 8 | UInt64(base[position])
            position += 1
        }
        return Self.fold(Self.fold(hash ^ rest, 0xD6E8_FEB8_6659_FD93), seed | 1)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
    }

    @inline(__always)
    func matches(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
        memcmp(base + position, bytes, count) == 0
    }
}

/// The bytes that the grammar knows.
enum Byte {
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let backslash = UInt8(ascii: "\\")
    static let quote = UInt8(ascii: "\"")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let hash = UInt8(ascii: "#")
    static let zero = UInt8(ascii: "0")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
}
