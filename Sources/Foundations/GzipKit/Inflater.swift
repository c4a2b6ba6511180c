import CZlib

/// Unpacks a gzip or zlib stream piece by piece, and never into more than it was allowed.
///
/// ```swift
/// let inflater = try Inflater(limit: 1 << 20)
/// for piece in pieces { plain += try inflater.inflate(piece) }
/// try inflater.finish()
/// ```
///
/// Several gzip members one after the other are one content, as RFC 1952 has it. Not to be shared between tasks.
package final class Inflater {
    /// Why a stream could not be unpacked.
    package enum Failure: Error, Hashable, Sendable {
        /// The content is larger than the limit.
        case tooLarge
        /// It is not gzip, or its checksum does not hold.
        case malformed
        /// It ends in the middle.
        case incomplete
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let limit: Int
    private var produced = 0
    private var isAtEnd = false
    private var buffer: [UInt8]

    /// - Parameters:
    ///   - limit: The largest number of bytes that may come out, over all pieces.
    package init(limit: Int) throws(Failure) {
        self.limit = limit
        buffer = [UInt8](repeating: 0, count: 1 << 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 32 more: recognise the header of gzip and of zlib.
        guard vigil_inflate_init(stream, 15 + 32) == Z_OK else {
            stream.deallocate()
            throw .malformed
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// What the next piece of the packed stream holds.
    ///
    /// - Throws: `tooLarge` as soon as the limit would be passed: at most 64 KiB more have then been unpacked.
    package func inflate(_ piece: [UInt8]) throws(Failure) -> [UInt8] {
        guard !piece.isEmpty else { return [] }
        var plain: [UInt8] = []
        var piece = piece
        let count = piece.count
        var offset = 0
        while true {
            let step = try take(&piece, from: offset, count: count - offset)
            offset += step.consumed
            produced += step.produced
            guard produced <= limit else { throw .tooLarge }
            plain += buffer[..<step.produced]
            // A full buffer may hide more output behind it, even when all input is used.
            if offset == count, step.produced < buffer.count { return plain }
            if step.consumed == 0, step.produced == 0 { throw .malformed }
        }
    }

    /// - Throws: `incomplete` when the stream has not ended.
    package func finish() throws(Failure) {
        guard isAtEnd else { throw .incomplete }
    }

    private func take(_ piece: inout [UInt8], from offset: Int, count: Int) throws(Failure)
        -> (consumed: Int, produced: Int)
    {
        if isAtEnd, count > 0 {
            guard inflateReset(stream) == Z_OK else { throw .malformed }
            isAtEnd = false
        }
        let status = piece.withUnsafeMutableBufferPointer { input in
            buffer.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress.map { $0 + offset }
                stream.pointee.avail_in = UInt32(count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                return CZlib.inflate(stream, Z_NO_FLUSH)
            }
        }
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isAtEnd = true
        default: throw .malformed
        }
        return (count - Int(stream.pointee.avail_in), buffer.count - Int(stream.pointee.avail_out))
    }
}
