import Foundation
import RelationalEngine
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLiteCrashTests {
    private static let scope = SystemScope.allTenants("testing")
    private static let migrations = [
        Migration.outbox,
        Migration(
            number: 2, name: "rows",
            up: "CREATE TABLE rows (id {{int}} PRIMARY KEY, text {{text}} NOT NULL) {{strict}};",
            down: "DROP TABLE rows;"),
    ]

    private static var writer: URL {
        let binary = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return binary.deletingLastPathComponent().appending(path: "CrashWriter")
    }

    /// Lets the writer run until it has promised `count` rows, kills it, and returns the last row that it promised.
    private func killed(_ path: String, from first: Int64, afterRows count: Int) throws -> Int64 {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = Self.writer
        process.arguments = [path, String(first)]
        process.standardOutput = pipe
        try process.run()
        var output = Data()
        while output.count(where: { $0 == 0x0A }) < count {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            output += more
        }
        kill(process.processIdentifier, SIGKILL)
        output += try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().last.flatMap { Int64($0) } ?? first - 1
    }

    @Test func `nothing that was committed is lost, whenever the process is killed`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        let store = try SQLiteStore(path: path)
        _ = try await SQLiteMigrator(store, backups: nil, clock: StillClock()).up(
            Self.migrations, to: nil, dryRun: false)
        await store.close()
        var next: Int64 = 1
        for round in 0..<12 {
            let promised = try killed(path, from: next, afterRows: 1 + round * 17)
            #expect(promised >= next)
            let store = try SQLiteStore(path: path)
            let ids = try await store.read(in: Self.scope) { transaction in
                try transaction.rows("SELECT id FROM rows ORDER BY id").map { try $0.get("id", as: Int64.self) }
            }
            let last = try #require(ids.last)
            // The row whose commit was under way may be there or not.
            #expect(last == promised || last == promised + 1)
            #expect(ids == Array(1...last))
            let told = try await store.outbox(after: .start, limit: 100_000).map(\.message.aggregateID)
            #expect(told == ids.map(String.init))
            let inspection = try await store.inspect()
            #expect(inspection.faults == [])
            await store.close()
            next = last + 1
        }
    }
}
