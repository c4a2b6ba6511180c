import StorageKit
import Testing

/// The check values are those of RFC 3720 B.4 and of the xxHash specification's reference program.
struct ChecksumTests {
    @Test(
        arguments: [
            ("", 0), ("123456789", 0xE306_9283), (String(repeating: "\0", count: 32), 0x8A91_36AA),
        ] as [(String, UInt32)])
    func `CRC-32C gives the published values`(text: String, expected: UInt32) {
        #expect(Checksum.crc32c(Array(text.utf8)) == expected)
    }

    @Test func `CRC-32C may be taken in pieces`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = Checksum.crc32c(bytes)
        for cut in [0, 1, 7, 8, 500, 999, 1000] {
            #expect(Checksum.crc32c(Array(bytes[cut...]), after: Checksum.crc32c(Array(bytes[..<cut]))) == whole)
        }
    }

    @Test(
        arguments: [
            ("", 0, 0xEF46_DB37_51D8_E999), ("abc", 0, 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64, UInt64)])
    func `XXH64 gives the published values`(text: String, seed: UInt64, expected: UInt64) {
        #expect(Checksum.xxh64(Array(text.utf8), seed: seed) == expected)
    }

    @Test func `every flipped bit changes the checksum`() {
        var bytes = (0..<257).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let sums = (Checksum.crc32c(bytes), Checksum.xxh64(bytes))
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(Checksum.crc32c(bytes) != sums.0)
            #expect(Checksum.xxh64(bytes) != sums.1)
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }
}
