import CZlib

/// Packs and unpacks whole contents.
package enum Gzip {
    /// The content as one gzip member.
    ///
    /// - Parameters:
    ///   - level: 1 (fast) to 9 (small).
    package static func compress(_ content: [UInt8], level: Int32 = 6) -> [UInt8] {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer {
            deflateEnd(stream)
            stream.deallocate()
        }
        // 15 bits of window; 16 more: write the header of gzip.
        guard vigil_deflate_init(stream, level, 15 + 16) == Z_OK else {
            preconditionFailure("BUG: zlib refuses level \(level)")
        }
        var content = content
        var packed = [UInt8](repeating: 0, count: Int(deflateBound(stream, UInt(content.count))) + 18)
        let count = content.count
        content.withUnsafeMutableBufferPointer { input in
            packed.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                _ = deflate(stream, Z_FINISH)
            }
        }
        packed.removeLast(Int(stream.pointee.avail_out))
        return packed
    }

    /// The content of a gzip stream.
    package static func decompress(_ packed: [UInt8], limit: Int) throws(Inflater.Failure) -> [UInt8] {
        let inflater = try Inflater(limit: limit)
        let content = try inflater.inflate(packed)
        try inflater.finish()
        return content
    }
}
