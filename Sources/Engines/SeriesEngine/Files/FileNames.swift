import VigilPorts

/// Every name that the engine gives to something on disk.
enum FileNames {
    /// Held with an exclusive lock while a process has the folder open for writing.
    static let lock = "LOCK"

    private static let logPrefix = "log-"
    private static let logSuffix = ".vlog"

    /// The log's files are numbered from 1 and never reused: `log-0000000001.vlog`.
    static func log(_ number: UInt64) -> String {
        let digits = String(number)
        return logPrefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + logSuffix
    }

    /// The number of a log file's name, or `nil` for other files.
    static func logNumber(_ name: String) -> UInt64? {
        guard name.hasPrefix(logPrefix), name.hasSuffix(logSuffix) else { return nil }
        return UInt64(name.dropFirst(logPrefix.count).dropLast(logSuffix.count))
    }

    /// Definitions, and how far the log is part of the files.
    static let catalogue = "catalogue.db"
    /// The same once more: without it no reading has a name.
    static let catalogueCopy = "catalogue-copy.db"
    /// Behind the name of a damaged file that was put aside.
    static let damaged = ".damaged"

    private static let chunksPrefix = "chunks-"
    private static let chunksSuffix = ".db"

    private static let rollupsPrefix = "rollups-"

    /// What is kept of readings that went, for one stretch of 360 days: `rollups-55.db`.
    static func rollups(_ period: Int64) -> String { rollupsPrefix + String(period) + chunksSuffix }

    /// The stretch of a name that ``rollups(_:)`` made, or `nil` for other files.
    static func rollupPeriod(_ name: String) -> Int64? {
        guard name.hasPrefix(rollupsPrefix), name.hasSuffix(chunksSuffix) else { return nil }
        return Int64(name.dropFirst(rollupsPrefix.count).dropLast(chunksSuffix.count))
    }

    /// The folder of the warm tier, where the configuration names no other.
    static let warm = "warm"
    /// The folder of the archive, where the configuration names no other.
    static let archive = "archive"
    /// A file that is being made.
    static let unfinished = ".part"
    /// Beside a file of the archive that is attached.
    static let attached = ".attached"

    /// The chunks of a place: `chunks-644.db` for what stays for ever, else with the bounds: `chunks-h7d.w30d.a5y-20345.db`.
    ///
    /// Several files of the archive may be of one place, because late readings came after the first: `….2.db`.
    static func chunks(_ place: ChunkPlace, copy: Int = 1) -> String {
        let label = label(place.bounds)
        let number = copy > 1 ? "\(place.period).\(copy)" : String(place.period)
        return chunksPrefix + (label.isEmpty ? "" : label + "-") + number + chunksSuffix
    }

    /// The place of a chunk file's name, or `nil` for other files.
    static func place(_ name: String) -> ChunkPlace? {
        guard name.hasPrefix(chunksPrefix), name.hasSuffix(chunksSuffix) else { return nil }
        var rest = name.dropFirst(chunksPrefix.count).dropLast(chunksSuffix.count)
        var bounds = RetentionBounds.forever
        if rest.first?.isLetter == true {
            guard let end = rest.firstIndex(of: "-"), let named = self.bounds(rest[..<end]) else { return nil }
            bounds = named
            rest = rest[end...].dropFirst()
        }
        let number = rest.split(separator: ".", maxSplits: 1)
        guard let first = number.first, let period = Int64(first) else { return nil }
        if number.count > 1, Int(number[1]) == nil { return nil }
        return ChunkPlace(bounds: bounds, period: period)
    }

    private static func label(_ bounds: RetentionBounds) -> String {
        if bounds == .forever { return "" }
        return bounds.steps.map { "\($0.tier.rawValue.prefix(1))\($0.bound)" }.joined(separator: ".")
    }

    private static func bounds(_ label: Substring) -> RetentionBounds? {
        var bounds = RetentionBounds()
        for part in label.split(separator: ".") {
            guard let bound = RetentionBound(String(part.dropFirst())) else { return nil }
            switch part.first {
            case "h": bounds.hot = bound
            case "w": bounds.warm = bound
            case "a": bounds.archive = bound
            default: return nil
            }
        }
        return bounds
    }
}
