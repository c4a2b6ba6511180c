import Foundation
package import VigilModel
package import VigilPorts

/// Keeps what the program writes to its log, and finds it again.
///
/// Lines come from any thread and never wait: past ``bufferedLines`` the oldest waiting lines are dropped and counted.
package actor LogService {
    /// One line of the log.
    package struct Line: Codable, Sendable, Hashable {
        package var id: EntryID
        package var time: Timestamp
        /// trace, debug, info, notice, warning, error, critical.
        package var level: String
        package var label: String
        package var message: String
        package var metadata: [String: String]

        package init(
            id: EntryID, time: Timestamp, level: String, label: String, message: String, metadata: [String: String]
        ) {
            self.id = id
            self.time = time
            self.level = level
            self.label = label
            self.message = message
            self.metadata = metadata
        }
    }

    package static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    package static let bufferedLines = 10_000
    static let keptLines = 1_000_000
    static let saveInterval = Span.seconds(1)
    private static let pruneInterval = Span.minutes(10)

    private let stores: Stores
    private let clock: any TimeSource
    private let lines: AsyncStream<Line>
    private var waiting: [Line] = []
    private var pruned = Timestamp.distantPast

    /// - Parameter lines: What the program writes, as it writes it.
    package init(stores: Stores, clock: any TimeSource, lines: AsyncStream<Line>) {
        self.stores = stores
        self.clock = clock
        self.lines = lines
    }

    /// Keeps lines until the task is cancelled.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await line in self.lines { await self.take(line) } }
            group.addTask {
                while (try? await self.clock.wait(for: Self.saveInterval)) != nil { await self.save() }
            }
            await group.waitForAll()
        }
        await save()
    }

    func take(_ line: Line) {
        if waiting.count >= Self.bufferedLines { waiting.removeFirst(waiting.count - Self.bufferedLines + 1) }
        waiting.append(line)
    }

    /// Writes what waits; what cannot be written now waits on.
    func save() async {
        let now = clock.now()
        let batch = waiting
        waiting = []
        let mayPrune = now - pruned > Self.pruneInterval
        guard !batch.isEmpty || mayPrune else { return }
        do {
            try await stores.relational.write(in: SystemScope.allTenants("logs")) { transaction in
                let rows = batch.map { line -> [SQLValue] in
                    [
                        line.id.sqlValue, line.time.sqlValue,
                        Int64(Self.levels.firstIndex(of: line.level) ?? 0).sqlValue, line.label.sqlValue,
                        line.message.sqlValue,
                        JSONValue.object(line.metadata.mapValues { .string($0) }).sqlValue,
                    ]
                }
                _ = try transaction.insert(
                    into: "application_logs", columns: ["id", "time", "level", "label", "message", "metadata"],
                    rows: rows, conflict: nil)
                if mayPrune {
                    let rows = try transaction.rows(
                        "SELECT time FROM application_logs ORDER BY time DESC LIMIT 1 OFFSET \(Self.keptLines)")
                    if let oldest: Timestamp = try rows.first?.get("time") {
                        try transaction.execute("DELETE FROM application_logs WHERE time <= \(oldest)")
                    }
                }
            }
            if mayPrune { pruned = now }
        } catch {
            // The log is on standard error too; a store that is away must not fill the memory.
            waiting = (batch + waiting).suffix(Self.bufferedLines)
        }
    }

    /// Lines are about the whole installation, so one tenant of many does not see them.
    ///
    /// - Throws: `forbidden` unless the caller is the command line, belongs to the one tenant that no other manages.
    package nonisolated func admit(_ principal: Principal) async throws {
        try await InstallationGuard(stores: stores).admit(principal)
    }

    /// Which lines are searched.
    package struct Filter: Sendable {
        /// At least this important.
        package var level: String?
        /// A part of the message.
        package var text: String?
        package var label: String?
        package var from: Timestamp?
        package var to: Timestamp?

        package init() {}
    }

    /// Lines, newest first, after `cursor` (the identifier of the last line of the page before).
    package nonisolated func lines(_ filter: Filter, cursor: EntryID?, limit: Int) async throws -> [Line] {
        let floor: Int
        if let level = filter.level {
            guard let index = Self.levels.firstIndex(of: level) else {
                throw ServiceError.invalid("level", "must be one of \(Self.levels.joined(separator: ", "))")
            }
            floor = index
        } else {
            floor = 0
        }
        return try await stores.relational.read(.recent, in: SystemScope.allTenants("logs")) { transaction in
            var sql: SQL =
                "SELECT id, time, level, label, message, metadata FROM application_logs WHERE level >= \(floor)"
            if let from = filter.from { sql = sql + " AND time >= \(from)" }
            if let to = filter.to { sql = sql + " AND time < \(to)" }
            if let label = filter.label { sql = sql + " AND label = \(label)" }
            if let cursor { sql = sql + " AND id < \(cursor)" }
            if let text = filter.text {
                sql = sql + " AND " + transaction.dialect.containsText("message", text)
            }
            sql = sql + " ORDER BY id DESC LIMIT \(limit)"
            return try transaction.rows(sql).map { row in
                let level: Int = try row.get("level")
                let metadata: JSONValue = try row.get("metadata")
                return Line(
                    id: try row.get("id"), time: try row.get("time"),
                    level: Self.levels.indices.contains(level) ? Self.levels[level] : "info",
                    label: try row.get("label"), message: try row.get("message"),
                    metadata: (metadata.members ?? [:]).compactMapValues(\.text))
            }
        }
    }
}
