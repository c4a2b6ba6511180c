import CStorage

/// Checksums of what lies on disk.
///
/// Neither is for passwords or against people who mean harm.
package enum Checksum {
    /// CRC-32C, which finds every flipped bit and every burst of up to 32 bits: for records of a log.
    ///
    /// Something may be summed in pieces: `seed` is the checksum of what went before.
    package static func crc32c(_ bytes: UnsafeRawBufferPointer, after seed: UInt32 = 0) -> UInt32 {
        vigil_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    package static func crc32c(_ bytes: [UInt8], after seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { crc32c($0, after: seed) }
    }

    /// XXH64, faster than memory: for pages and blocks.
    package static func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        vigil_xxh64(seed, bytes.baseAddress, bytes.count)
    }

    package static func xxh64(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { xxh64($0, seed: seed) }
    }
}
