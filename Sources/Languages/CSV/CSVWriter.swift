/// Writes records as RFC 4180: fields quoted where they must be, lines ended with CRLF.
package struct CSVWriter: Sendable {
    package let dialect: CSVDialect
    /// Whether texts that a spreadsheet would run as a formula get an apostrophe in front.
    ///
    /// Meant for files that people open: a device may report `=HYPERLINK(…)` as its name. Numbers stay as they are. Leave
    /// it off for files that programs read back.
    package let protectsFormulas: Bool

    package init(dialect: CSVDialect = .comma, protectsFormulas: Bool = false) {
        self.dialect = dialect
        self.protectsFormulas = protectsFormulas
    }

    /// Appends one record with its line end.
    package func write(_ fields: some Sequence<String>, to output: inout [UInt8]) {
        let start = output.count
        var count = 0
        for field in fields {
            if count > 0 { output.append(dialect.delimiter) }
            write(field, to: &output)
            count += 1
        }
        // One empty field alone would be an empty line, which is no record.
        if count == 1, output.count == start { output.append(contentsOf: "\"\"".utf8) }
        output.append(contentsOf: "\r\n".utf8)
    }

    /// One record as text.
    package func line(_ fields: some Sequence<String>) -> String {
        var output: [UInt8] = []
        write(fields, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func write(_ field: String, to output: inout [UInt8]) {
        let prefix = protectsFormulas && Self.looksLikeFormula(field) ? "'" : ""
        let needsQuotes = field.utf8.contains { byte in
            byte == dialect.delimiter || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
                || byte == UInt8(ascii: "\r")
        }
        guard needsQuotes || field.utf8.first == UInt8(ascii: " ") || field.utf8.last == UInt8(ascii: " ") else {
            output.append(contentsOf: prefix.utf8)
            output.append(contentsOf: field.utf8)
            return
        }
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: prefix.utf8)
        for byte in field.utf8 {
            if byte == UInt8(ascii: "\"") { output.append(byte) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Whether a spreadsheet would take `field` for a formula: it begins with `= + - @`, a tab or a line end, perhaps in the
    /// wide forms of East Asian keyboards, and is no number.
    static func looksLikeFormula(_ field: String) -> Bool {
        guard let first = field.unicodeScalars.first, "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(first) else {
            return false
        }
        return Double(field) == nil
    }
}
