/// Why a line was refused: a stable code and a sentence, never a value from the line.
///
/// The resolver of a ``LineDecoder`` throws its own reasons, such as a device that is switched off.
package struct LineReason: Error, Hashable, Sendable {
    package let code: String
    package let message: String

    package init(_ code: StaticString, _ message: StaticString) {
        self.code = code.description
        self.message = message.description
    }
}

extension LineReason {
    package static let measurementMissing = LineReason(
        "measurement_missing", "the line does not begin with a measurement")
    package static let measurementReserved = LineReason(
        "measurement_reserved", "measurements that begin with __ are reserved")
    package static let tagMalformed = LineReason("tag_malformed", "a tag must have the form name=value")
    package static let tagEmpty = LineReason("tag_empty", "a tag has no name or no value")
    package static let tagDuplicate = LineReason("tag_duplicate", "a tag comes twice")
    package static let tagReserved = LineReason(
        "tag_reserved", "the tag tenant and tags that begin with __ are reserved")
    package static let tagCount = LineReason("tag_count", "the line has more tags than allowed")
    package static let keyLength = LineReason("key_length", "the measurement with its tags is longer than allowed")
    package static let fieldsMissing = LineReason("fields_missing", "the line has no fields")
    package static let fieldMalformed = LineReason("field_malformed", "a field must have the form name=value")
    package static let fieldReserved = LineReason(
        "field_reserved", "fields that begin with __ are reserved")
    package static let fieldDuplicate = LineReason("field_duplicate", "a field comes twice")
    package static let fieldCount = LineReason("field_count", "the line has more fields than allowed")
    package static let fieldNameLength = LineReason("field_name_length", "a field's name is longer than allowed")
    package static let valueMissing = LineReason("value_missing", "a field has no value")
    package static let valueMalformed = LineReason(
        "value_malformed", "a value must be a number, an integer with i or u, a boolean or a quoted string")
    package static let numberRange = LineReason("number_range", "a number is too large for a 64-bit float")
    package static let integerRange = LineReason("integer_range", "an integer lies outside the range of 64 bits")
    package static let unsignedRange = LineReason(
        "unsigned_range", "an unsigned integer above 9223372036854775807 cannot be stored")
    package static let textUnterminated = LineReason("text_unterminated", "a string has no closing quote")
    package static let textLength = LineReason("text_length", "a string is longer than allowed")
    package static let nullByte = LineReason("null_byte", "the line holds the character U+0000")
    package static let notUTF8 = LineReason("not_utf8", "the line is not valid UTF-8")
    package static let timeMalformed = LineReason("time_malformed", "the timestamp is not an integer")
    package static let timeRange = LineReason("time_range", "the timestamp lies outside the accepted range")
    package static let lineLength = LineReason("line_length", "the line is longer than allowed")
    package static let lineCount = LineReason("line_count", "the request has more lines than allowed")
}

/// A line that was refused, and where.
package struct LineProblem: Hashable, Sendable {
    /// Counted from 1 over the whole request.
    package let line: Int
    /// The byte of the line where it went wrong, counted from 1.
    package let column: Int
    package let reason: LineReason

    package init(line: Int, column: Int, reason: LineReason) {
        self.line = line
        self.column = column
        self.reason = reason
    }
}

/// Where inside the bytes at hand a line stopped to make sense.
struct LineFault: Error {
    let reason: LineReason
    let position: Int

    init(_ reason: LineReason, at position: Int) {
        self.reason = reason
        self.position = position
    }

    /// Not a fault: the line goes on in bytes that have not come yet.
    static let incomplete = LineFault(LineReason("incomplete", "the line goes on"), at: -1)
    var isIncomplete: Bool { position < 0 }
}
