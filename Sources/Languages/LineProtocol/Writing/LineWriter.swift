package import VigilModel

/// Writes batches as line protocol, with times in nanoseconds.
///
/// What the decoder reads from the text is what was written, save for what line protocol cannot say: a float that is NaN
/// or infinite, a field of an empty name, an empty measurement or text with U+0000 is left out and counted. An object is
/// written as the string of its JSON text.
package struct LineWriter: Sendable {
    /// How many values could not be written.
    package private(set) var omittedValueCount = 0
    /// The measurement of sources that have none.
    package let defaultMeasurement: String

    package init(defaultMeasurement: String = "reading") {
        self.defaultMeasurement = defaultMeasurement
    }

    /// Appends all rows of `batch`, each as one line ended by a line feed.
    package mutating func write(_ batch: ReadingBatch, to output: inout [UInt8]) {
        for table in batch.tables { write(table, to: &output) }
    }

    /// Appends the rows of one table.
    package mutating func write(_ table: ReadingTable, to output: inout [UInt8]) {
        guard let key = key(of: table.source) else {
            omittedValueCount += table.readingCount
            return
        }
        let names = table.columns.map { Self.escaped($0.field, isMeasurement: false) }
        for row in table.times.indices {
            let start = output.count
            output.append(contentsOf: key)
            var separator = Byte.space
            for (column, name) in zip(table.columns, names) {
                guard let value = column[row] else { continue }
                guard !name.isEmpty, let text = Self.text(of: value) else {
                    omittedValueCount += 1
                    continue
                }
                output.append(separator)
                output.append(contentsOf: name)
                output.append(Byte.equals)
                output.append(contentsOf: text)
                separator = Byte.comma
            }
            guard separator == Byte.comma, let time = Self.nanoseconds(table.times[row]) else {
                if separator == Byte.comma {
                    omittedValueCount += table.columns.count { $0.isPresent(row) }
                }
                output.removeLast(output.count - start)
                continue
            }
            output.append(Byte.space)
            output.append(contentsOf: String(time).utf8)
            output.append(Byte.newline)
        }
    }

    private func key(of source: SeriesSource) -> [UInt8]? {
        let measurement = source.measurement.isEmpty ? defaultMeasurement : source.measurement
        var key = Self.escaped(measurement, isMeasurement: true)
        guard let first = key.first, first != Byte.hash else { return nil }
        for label in source.labels.all {
            let name = Self.escaped(label.name, isMeasurement: false)
            let value = Self.escaped(label.value, isMeasurement: false)
            guard !name.isEmpty, !value.isEmpty else { return nil }
            key.append(Byte.comma)
            key += name
            key.append(Byte.equals)
            key += value
        }
        return key
    }

    /// Times outside what 64-bit nanoseconds hold (the years 1677 to 2262) cannot be written.
    private static func nanoseconds(_ microseconds: Int64) -> Int64? {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? nil : product
    }

    private static func text(of value: ReadingValue) -> [UInt8]? {
        switch value {
        case .float(let value): value.isFinite ? Array("\(value)".utf8) : nil
        case .integer(let value): Array("\(value)i".utf8)
        case .boolean(let value): Array((value ? "true" : "false").utf8)
        case .text(let value), .object(let value): quoted(value)
        }
    }

    private static func quoted(_ text: String) -> [UInt8]? {
        var bytes = [Byte.quote]
        for byte in text.utf8 {
            guard byte != 0 else { return nil }
            if byte == Byte.quote || byte == Byte.backslash { bytes.append(Byte.backslash) }
            bytes.append(byte)
        }
        bytes.append(Byte.quote)
        return bytes
    }

    /// Empty for a text that cannot be written: line ends and U+0000 have no escape, and neither has a backslash where it
    /// would take the meaning of the character behind it away.
    private static func escaped(_ text: String, isMeasurement: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case Byte.comma, Byte.space: bytes.append(Byte.backslash)
            case Byte.equals where !isMeasurement: bytes.append(Byte.backslash)
            case 0, Byte.newline, Byte.carriageReturn: return []
            default: break
            }
            bytes.append(byte)
        }
        return bytes.last == Byte.backslash ? [] : bytes
    }
}
