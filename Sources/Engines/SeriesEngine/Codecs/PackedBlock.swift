/// Bytes of small things that lie together, behind zstd where that makes them smaller.
///
/// What begins with another byte than 0 is as it is, as older versions wrote all of it; 0 is followed by the length
/// (varint) and zstd of it.
enum PackedBlock {
    private static let tag: UInt8 = 0
    /// What is longer is made of long blocks, which are compressed already, and of which few are read at a time.
    static let sizeMax = 1 << 16
    /// More than this no writer makes.
    private static let lengthMax = 1 << 28

    /// The bytes of something that does not begin with 0.
    static func pack(_ bytes: [UInt8], sizeMax: Int = sizeMax) -> [UInt8] {
        guard bytes.count <= sizeMax, let first = bytes.first, first != tag,
            let smaller = Zstandard.compressed(bytes)
        else { return bytes }
        var writer = ByteWriter()
        writer.append(tag)
        writer.append(varint: UInt64(bytes.count))
        writer.append(contentsOf: smaller)
        return writer.bytes.count < bytes.count ? writer.bytes : bytes
    }

    static func open(_ bytes: ArraySlice<UInt8>) throws(ByteReader.Malformed) -> ByteReader {
        var reader = ByteReader(bytes)
        // A single 0 counts nothing.
        guard bytes.count > 1, bytes.first == tag else { return reader }
        _ = try reader.byte()
        let length = try reader.count(limit: lengthMax)
        return ByteReader(try Zstandard.decompressed(bytes[reader.position...], count: length))
    }
}
