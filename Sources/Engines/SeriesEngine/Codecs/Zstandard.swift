import CZstd

/// zstd over whole blocks.
enum Zstandard {
    static let level: Int32 = 3

    /// `nil` when the result would not be smaller.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 32 else { return nil }
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            let size = ZSTD_compress(buffer.baseAddress, buffer.count, bytes, bytes.count, level)
            count = ZSTD_isError(size) != 0 ? 0 : size
        }
        return result.isEmpty || result.count >= bytes.count ? nil : result
    }

    /// The `count` bytes that were compressed.
    static func decompressed(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [UInt8] {
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let size = bytes.withUnsafeBytes {
                ZSTD_decompress(buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
            }
            initialized = ZSTD_isError(size) != 0 ? 0 : size
        }
        guard result.count == count else { throw ByteReader.Malformed() }
        return result
    }
}
