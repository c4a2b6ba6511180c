import HTTPTypes
package import NIOCore
package import VigilInterface

/// An answer of HTTP/1.1 (RFC 9112) in one piece.
package enum WholeAnswer {
    /// The head of `response`, with the length of the body that follows it.
    package static func bytes(_ response: Response, _ body: [UInt8], _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: body.count + headBytes)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(response.status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(response.status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        for field in response.headers where field.name != .contentLength {
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        // These have no body, and where one would end is not said of them.
        if response.status != .noContent, response.status != .notModified {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(body.count))
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(body)
        return buffer
    }

    /// Room for most heads.
    private static let headBytes = 768
}
