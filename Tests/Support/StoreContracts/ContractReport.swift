import Foundation
import Synchronization

/// Which clauses which stores kept in this run, written to the file that `VIGIL_CONTRACT_REPORT` names.
///
/// The file is rewritten after each clause and keeps what other test processes put there for other stores.
package final class ContractReport: Sendable {
    package static let shared = ContractReport()

    private struct Line: Codable, Hashable {
        let port: String
        let store: String
        let clause: String
        let sentence: String
        let result: String
    }

    private let lines = Mutex<[String: Line]>([:])

    /// Runs a clause and notes how it went.
    ///
    /// - Parameter declares: Clauses that the store says it does not keep; the clause then asserts what it declares.
    package func check<Subject>(
        _ clause: StoreClause<Subject>, port: String, store: String, declares: Set<String> = [], _ subject: Subject
    ) async throws {
        do {
            try await clause.check(subject)
            let result = declares.contains(clause.id) ? "declared" : "kept"
            note(Line(port: port, store: store, clause: clause.id, sentence: clause.sentence, result: result))
        } catch {
            note(Line(port: port, store: store, clause: clause.id, sentence: clause.sentence, result: "broken"))
            throw error
        }
    }

    private func note(_ line: Line) {
        guard let path = ProcessInfo.processInfo.environment["VIGIL_CONTRACT_REPORT"] else { return }
        lines.withLock { lines in
            let url = URL(filePath: path)
            if let data = try? Data(contentsOf: url), let there = try? JSONDecoder().decode([Line].self, from: data) {
                for other in there where lines[other.store + " " + other.clause] == nil {
                    lines[other.store + " " + other.clause] = other
                }
            }
            lines[line.store + " " + line.clause] = line
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let sorted = lines.values.sorted { ($0.port, $0.store, $0.clause) < ($1.port, $1.store, $1.clause) }
            // A report that cannot be written fails no test; CI notices that it is missing.
            try? encoder.encode(sorted).write(to: url, options: .atomic)
        }
    }
}

/// Numbers for what a test makes.
package final class Counter: Sendable {
    private let number = Mutex(0)

    package init() {}

    package func next() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}
