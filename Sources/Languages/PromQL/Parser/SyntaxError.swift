/// Why a text is no PromQL expression, and where.
package struct SyntaxError: Error, Sendable, Hashable {
    package let message: String
    /// The bytes of the query that are wrong.
    package let position: Range<Int>
    /// Counted from 1.
    package let line: Int
    /// The byte of the line, counted from 1.
    package let column: Int

    init(_ message: String, position: Range<Int>, in source: [UInt8]) {
        self.message = message
        self.position = position
        (line, column) = TextPosition.of(position.lowerBound, in: source)
    }
}

extension SyntaxError: CustomStringConvertible {
    /// The form of Prometheus: `1:5: parse error: …`.
    package var description: String { "\(line):\(column): parse error: \(message)" }
}

/// Turns byte offsets into lines and columns.
package enum TextPosition {
    /// Line and column of a byte, both counted from 1.
    package static func of(_ offset: Int, in source: some Collection<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in source.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return (line, column)
    }
}

/// An error that does not know the text yet.
struct Fault: Error {
    let message: String
    let position: Range<Int>

    init(_ message: String, at position: Range<Int>) {
        self.message = message
        self.position = position
    }
}
