/// Encodes texts: the distinct ones once, then the number of each.
///
/// The count of distinct texts, the block of them (length and bytes each; zstd when byte 0 is 1), then the numbers.
enum TextCodec {
    static func encode(_ texts: [String]) -> [UInt8] {
        var numbers: [String: Int64] = [:]
        var heap = ByteWriter()
        let indexes = texts.map { text -> Int64 in
            if let number = numbers[text] { return number }
            let number = Int64(numbers.count)
            numbers[text] = number
            heap.append(text: text)
            return number
        }
        var writer = ByteWriter()
        writer.append(varint: UInt64(numbers.count))
        if let smaller = Zstandard.compressed(heap.bytes) {
            writer.append(1)
            writer.append(varint: UInt64(heap.bytes.count))
            writer.append(block: smaller)
        } else {
            writer.append(0)
            writer.append(block: heap.bytes)
        }
        writer.append(contentsOf: IntegerCodec.encode(indexes))
        return writer.bytes
    }

    static func decode(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [String] {
        guard count > 0 else { return [] }
        var reader = ByteReader(bytes)
        let distinct = try reader.count(limit: count)
        let heap: [UInt8]
        if try reader.byte() == 1 {
            let size = try reader.count(limit: 1 << 30)
            heap = try Zstandard.decompressed(try reader.block(), count: size)
        } else {
            heap = Array(try reader.block())
        }
        var heapReader = ByteReader(heap)
        var texts: [String] = []
        for _ in 0..<distinct { texts.append(try heapReader.text()) }
        var result: [String] = []
        result.reserveCapacity(count)
        for index in try IntegerCodec.decode(bytes[reader.position...], count: count) {
            guard texts.indices.contains(Int(index)) else { throw ByteReader.Malformed() }
            result.append(texts[Int(index)])
        }
        return result
    }
}
