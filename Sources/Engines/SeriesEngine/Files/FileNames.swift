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

    private static let chunksPrefix = "chunks-"
    private static let chunksSuffix = ".db"

    /// The chunks of a period, which is numbered from 1970: `chunks-644.db`.
    static func chunks(_ period: Int64) -> String { chunksPrefix + String(period) + chunksSuffix }

    /// The period of a chunk file's name, or `nil` for other files.
    static func period(_ name: String) -> Int64? {
        guard name.hasPrefix(chunksPrefix), name.hasSuffix(chunksSuffix) else { return nil }
        return Int64(name.dropFirst(chunksPrefix.count).dropLast(chunksSuffix.count))
    }
}
