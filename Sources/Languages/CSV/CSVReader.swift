/// Reads RFC 4180 from bytes as they come.
///
/// ```swift
/// var reader = CSVReader()
/// for chunk in file {
///     for record in try chunk.withUnsafeBytes({ try reader.feed($0) }) { … }
/// }
/// for record in try reader.finish() { … }
/// ```
///
/// A quoted field may hold delimiters, line ends and doubled quotes. Lines end with LF, CRLF or CR. A byte order mark at the
/// beginning is passed over, and so are empty lines. After an error the reader yields nothing more.
package struct CSVReader {
    private enum State {
        case fieldStart
        case plain
        case quoted
        /// Behind a quote inside a quoted field: its end, or the first half of a doubled quote.
        case quoteInQuoted
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let dialect: CSVDialect
    private let limits: CSVLimits
    private var state = State.fieldStart
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var recordByteCount = 0
    private var recordLine = 1
    private var fieldLine = 1
    private var fieldColumn = 1
    private var line = 1
    private var column = 0
    /// How many bytes of a byte order mark have been seen; 3 when it is settled whether there is one.
    private var markLength = 0
    private var lastWasCarriageReturn = false
    private var failure: CSVError?

    package init(dialect: CSVDialect = .comma, limits: CSVLimits = CSVLimits()) {
        self.dialect = dialect
        self.limits = limits
    }

    /// Takes the next bytes, and returns the records that end in them.
    ///
    /// - Throws: ``CSVError`` at the first thing that is wrong; records before it in these bytes are lost with it.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(CSVError) -> [CSVRecord] {
        var records: [CSVRecord] = []
        try feed(bytes, into: &records)
        return records
    }

    /// Takes the next bytes, and adds the records that end in them, also those before something that is wrong.
    ///
    /// - Throws: ``CSVError`` at the first thing that is wrong.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, into records: inout [CSVRecord]) throws(CSVError) {
        if let failure { throw failure }
        do {
            for byte in bytes { try take(byte, into: &records) }
        } catch {
            failure = error
            throw error
        }
    }

    /// Ends the file, and returns its last record when no line end followed it.
    package mutating func finish() throws(CSVError) -> [CSVRecord] {
        if let failure { throw failure }
        var records: [CSVRecord] = []
        try settleMark(into: &records)
        if state == .quoted { throw CSVError(.unterminatedQuote, line: fieldLine, column: fieldColumn) }
        try endRecord(into: &records)
        return records
    }

    // MARK: - Bytes

    private mutating func take(_ byte: UInt8, into records: inout [CSVRecord]) throws(CSVError) {
        if markLength < 3 {
            if byte == Self.byteOrderMark[markLength] {
                markLength += 1
                return
            }
            try settleMark(into: &records)
        }
        try step(byte, into: &records)
    }

    /// Gives back the beginning of what only looked like a byte order mark.
    private mutating func settleMark(into records: inout [CSVRecord]) throws(CSVError) {
        guard markLength < 3 else { return }
        let seen = Self.byteOrderMark[..<markLength]
        markLength = 3
        for byte in seen { try step(byte, into: &records) }
    }

    private mutating func step(_ byte: UInt8, into records: inout [CSVRecord]) throws(CSVError) {
        let followsCarriageReturn = lastWasCarriageReturn
        lastWasCarriageReturn = byte == Self.carriageReturn
        if followsCarriageReturn, byte == Self.lineFeed {
            // The second half of one line end; inside quotes it belongs to the field.
            if state == .quoted { try append(byte) }
            return
        }
        column += 1
        guard byte != 0 else { throw CSVError(.nullByte, line: line, column: column) }
        switch state {
        case .quoted:
            if byte == Self.quote { state = .quoteInQuoted } else { try append(byte) }
        case .quoteInQuoted where byte == Self.quote:
            try append(byte)
            state = .quoted
        case .quoteInQuoted where !ends(byte):
            throw CSVError(.textAfterQuote, line: line, column: column)
        case .fieldStart where byte == Self.quote:
            startField()
            state = .quoted
        case .plain where byte == Self.quote:
            throw CSVError(.strayQuote, line: line, column: column)
        default:
            try plain(byte, into: &records)
        }
        if byte == Self.lineFeed || byte == Self.carriageReturn {
            line += 1
            column = 0
        }
    }

    private func ends(_ byte: UInt8) -> Bool {
        byte == dialect.delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
    }

    private mutating func plain(_ byte: UInt8, into records: inout [CSVRecord]) throws(CSVError) {
        if state == .fieldStart { startField() }
        if byte == dialect.delimiter {
            try endField()
        } else if byte == Self.lineFeed || byte == Self.carriageReturn {
            try endRecord(into: &records)
        } else {
            state = .plain
            try append(byte)
        }
    }

    private mutating func startField() {
        fieldLine = line
        fieldColumn = max(column, 1)
        if fields.isEmpty { recordLine = line }
    }

    private mutating func append(_ byte: UInt8) throws(CSVError) {
        field.append(byte)
        recordByteCount += 1
        guard field.count <= limits.fieldBytes else { throw CSVError(.fieldLength, line: line, column: column) }
        guard recordByteCount <= limits.recordBytes else { throw CSVError(.recordLength, line: line, column: column) }
    }

    private mutating func endField() throws(CSVError) {
        guard fields.count < limits.fields else { throw CSVError(.fieldCount, line: line, column: column) }
        guard let text = String(validating: field, as: UTF8.self) else {
            throw CSVError(.notUTF8, line: fieldLine, column: fieldColumn)
        }
        fields.append(text)
        field.removeAll(keepingCapacity: true)
        state = .fieldStart
    }

    private mutating func endRecord(into records: inout [CSVRecord]) throws(CSVError) {
        // A line without anything on it is no record; a quoted empty field is one.
        let isBlank = fields.isEmpty && field.isEmpty && state == .fieldStart
        if !isBlank {
            try endField()
            records.append(CSVRecord(line: recordLine, fields: fields))
        }
        fields.removeAll(keepingCapacity: true)
        field.removeAll(keepingCapacity: true)
        recordByteCount = 0
        state = .fieldStart
    }
}
