import VigilModel
import VigilPorts

extension SeriesExport {
    /// What a form could not say, and why.
    struct LeftOut: Sendable {
        private(set) var notFinite = 0
        private(set) var outOfTime = 0
        private(set) var unwritable = 0
        /// The first series that cannot be written, each with the part of its name that is why.
        private(set) var series: [String] = []
        /// Series that are named; of the others the readings are counted.
        private static let seriesMax = 10

        mutating func addNotFinite() { notFinite += 1 }
        mutating func addOutOfTime() { outOfTime += 1 }

        mutating func add(_ count: Int, of metric: String, because part: String) {
            unwritable += count
            let name = "\(metric) (\(part))"
            if series.count < Self.seriesMax, !series.contains(name) { series.append(name) }
        }

        var text: String? {
            let total = notFinite + outOfTime + unwritable
            guard total > 0 else { return nil }
            var reasons: [String] = []
            if notFinite > 0 { reasons.append("\(notFinite) that are NaN, infinite or hold U+0000") }
            if outOfTime > 0 { reasons.append("\(outOfTime) with times before 1677 or after 2262") }
            if unwritable > 0 {
                reasons.append(
                    "\(unwritable) of series with a backslash at the end of a name or label, a line end in it or a "
                        + "reserved name: \(series.joined(separator: ", "))")
            }
            return "\(total) readings: \(reasons.joined(separator: "; "))"
        }
    }

    mutating func lines(of piece: SeriesSamples) -> String {
        let prefix: String
        switch key(of: piece.identity) {
        case .success(let key): prefix = key
        case .failure(let part):
            let metric = piece.identity.metric.map { $0.isNewline ? " " : $0 }
            leftOut.add(piece.samples.count, of: String(metric), because: part.name)
            return ""
        }
        var text = ""
        for sample in piece.samples {
            guard let value = Self.field(sample.value) else {
                leftOut.addNotFinite()
                continue
            }
            let (nanoseconds, overflow) = sample.time.microseconds.multipliedReportingOverflow(by: 1000)
            if overflow {
                leftOut.addOutOfTime()
            } else {
                text += prefix + "\(value) \(nanoseconds)\n"
            }
        }
        return text
    }

    /// The part of a series' name that line protocol cannot say.
    private struct Unwritable: Error {
        let name: String
    }

    /// What all lines of a series begin with.
    private func key(of identity: SeriesIdentity) -> Result<String, Unwritable> {
        let (measurement, field) = parts(of: identity.metric)
        guard Self.isWritable(measurement), Self.isWritable(field) else {
            return .failure(Unwritable(name: "its name"))
        }
        var labels = identity.labels.dictionary
        if let device = identity.device {
            guard labels.updateValue(device.description, forKey: "device") == nil else {
                return .failure(Unwritable(name: "label device"))
            }
        }
        var text = Self.escaped(measurement, also: [])
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            guard Self.isWritable(name), Self.isWritable(value), name != "tenant", !name.hasPrefix("__") else {
                let shown = name.map { $0.isNewline ? " " : $0 }
                return .failure(Unwritable(name: "label \(String(shown))"))
            }
            text += ",\(Self.escaped(name))=\(Self.escaped(value))"
        }
        return .success(text + " \(Self.escaped(field))=")
    }

    /// The measurement and the field of a metric: those that it came with, else parted at its last `_`.
    private func parts(of metric: String) -> (measurement: String, field: String) {
        let whole = (measurement: "_", field: metric)
        var parts = whole
        if let known = names[metric] {
            parts = known.measurement.isEmpty ? whole : known
        } else if let cut = metric.lastIndex(of: "_") {
            parts = (String(metric[..<cut]), String(metric[cut...].dropFirst()))
        }
        // A line that begins with # is a comment.
        let isMeant = !parts.measurement.isEmpty && !parts.field.isEmpty && !parts.measurement.hasPrefix("#")
        return isMeant && !parts.measurement.hasPrefix("__") && !parts.field.hasPrefix("__") ? parts : whole
    }

    /// A backslash before a separator would take its meaning away, and a line end would end the line.
    private static func isWritable(_ text: String) -> Bool {
        text.utf8.last != UInt8(ascii: "\\") && !text.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 }
    }

    /// A value as a field of the line protocol, which has no NaN, no U+0000 and no objects.
    private static func field(_ value: ReadingValue) -> String? {
        switch value {
        case .float(let number): number.isFinite ? "\(number)" : nil
        case .integer(let number): "\(number)i"
        case .boolean(let flag): flag ? "true" : "false"
        case .text(let text), .object(let text):
            text.utf8.contains(0) ? nil : "\"" + text.escaping(["\\", "\""], with: "\\") + "\""
        }
    }

    private static func escaped(_ text: String, also more: Set<Unicode.Scalar> = ["="]) -> String {
        text.escaping(more.union([",", " "]), with: "\\")
    }
}

extension String {
    /// The same with `mark` before some scalars, whatever marks are combined with them.
    func escaping(_ scalars: Set<Unicode.Scalar>, with mark: Unicode.Scalar) -> String {
        guard unicodeScalars.contains(where: scalars.contains) else { return self }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalars.contains(scalar) { result.append(mark) }
            result.append(scalar)
        }
        return String(result)
    }
}
