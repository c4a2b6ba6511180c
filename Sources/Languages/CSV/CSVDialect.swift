/// How the fields of a file are kept apart.
package struct CSVDialect: Sendable, Hashable {
    /// An ASCII character, neither a quote nor a line end.
    package let delimiter: UInt8

    /// Comma, the form of RFC 4180.
    package static let comma = CSVDialect(delimiterByte: UInt8(ascii: ","))
    /// Semicolon, as spreadsheets write it where the comma is the decimal sign.
    package static let semicolon = CSVDialect(delimiterByte: UInt8(ascii: ";"))
    package static let tab = CSVDialect(delimiterByte: UInt8(ascii: "\t"))

    private init(delimiterByte: UInt8) { delimiter = delimiterByte }

    /// `nil` for what cannot keep fields apart: a quote, a line end, anything outside ASCII.
    package init?(delimiter: Character) {
        guard let byte = delimiter.asciiValue, byte != 0, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n"),
            byte != UInt8(ascii: "\r")
        else { return nil }
        self.init(delimiterByte: byte)
    }
}

/// The bounds that a file must keep to.
package struct CSVLimits: Sendable, Hashable {
    package var fieldBytes = 1024 * 1024
    /// All fields of a record together.
    package var recordBytes = 4 * 1024 * 1024
    package var fields = 4096

    package init() {}
}

/// One record with the line on which it begins, counted from 1.
package struct CSVRecord: Sendable, Hashable {
    package let line: Int
    package let fields: [String]

    package init(line: Int, fields: [String]) {
        self.line = line
        self.fields = fields
    }
}

/// Why a file cannot be read any further, and where.
package struct CSVError: Error, Sendable, Hashable {
    package enum Reason: String, Sendable {
        /// A quote inside a field that does not begin with one.
        case strayQuote = "stray_quote"
        /// Something other than a delimiter or a line end behind a closing quote.
        case textAfterQuote = "text_after_quote"
        /// The file ends inside a quoted field.
        case unterminatedQuote = "unterminated_quote"
        case fieldLength = "field_length"
        case recordLength = "record_length"
        case fieldCount = "field_count"
        case nullByte = "null_byte"
        case notUTF8 = "not_utf8"
    }

    package let reason: Reason
    /// Counted from 1.
    package let line: Int
    /// The byte of the line, counted from 1.
    package let column: Int

    package init(_ reason: Reason, line: Int, column: Int) {
        self.reason = reason
        self.line = line
        self.column = column
    }
}

extension CSVError: CustomStringConvertible {
    package var description: String {
        let sentence =
            switch reason {
            case .strayQuote: "a field holds a quote but does not begin with one"
            case .textAfterQuote: "text follows a closing quote"
            case .unterminatedQuote: "a quoted field does not end"
            case .fieldLength: "a field is longer than allowed"
            case .recordLength: "a record is longer than allowed"
            case .fieldCount: "a record has more fields than allowed"
            case .nullByte: "the file holds the character U+0000"
            case .notUTF8: "a field is not valid UTF-8"
            }
        return "line \(line), column \(column): \(sentence)"
    }
}
