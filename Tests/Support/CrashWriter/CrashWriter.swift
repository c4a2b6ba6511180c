import Foundation
import RelationalEngine
import VigilModel
import VigilPorts

/// Writes rows without end and says after each commit which it was, so that a test can kill it at any moment and hold
/// the file against what was promised: `CrashWriter DATABASE FIRST`.
@main
enum CrashWriter {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, var number = Int64(arguments[2]) else { exit(2) }
        let store = try SQLiteStore(path: arguments[1], readerCount: 1)
        let scope = SystemScope.allTenants("being killed")
        while true {
            let row = number
            try await store.write(in: scope) { transaction in
                // Of several pages, and with an outbox entry: a part of it would be seen.
                let text = String(repeating: "row \(row) ", count: Int(row % 50) * 40)
                try transaction.execute("INSERT INTO rows (id, text) VALUES (\(row), \(text))")
                try transaction.appendToOutbox(
                    OutboxMessage(
                        tenant: nil, type: "row.added", aggregate: "row", aggregateID: String(row), data: .null,
                        time: Timestamp(seconds: row)))
            }
            FileHandle.standardOutput.write(Data("\(row)\n".utf8))
            number += 1
        }
    }
}
