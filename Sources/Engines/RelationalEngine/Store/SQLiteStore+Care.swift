import SQLiteKit
import Synchronization
import VigilModel
package import VigilPorts

extension SQLiteStore {
    /// What a thorough look at the file found.
    package struct Inspection: Sendable, Hashable {
        /// How many pages the file has, all of which had the checksum they were written with.
        package let pageCount: Int
        /// What is wrong with the structure or the foreign keys, a sentence each; empty when nothing is.
        package let faults: [String]
    }

    /// Reads every page of the file and checks its checksum, then the structure and the foreign keys, for `vigil doctor`.
    ///
    /// - Throws: `damaged` with file and offset of the first page that is not what was written; the store takes no
    ///   writes from then on.
    package func inspect() async throws -> Inspection {
        try await apart { session in
            let pageCount = try session.scanPages()
            return Inspection(pageCount: pageCount, faults: try session.structuralFaults())
        }
    }

    /// Writes a consistent, compact copy of the whole database to `target`, which must not exist, while others go on
    /// reading and writing.
    package func copy(to target: String) async throws {
        try await apart { try $0.copy(to: target) }
    }

    /// Runs long work on a connection of its own, so that neither the writer nor a reader waits for it.
    private func apart<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteSession) throws -> Result
    ) async throws -> Result {
        try await noting {
            do {
                let lane = try SQLiteLane(path: path, access: .read, name: "vigil.sqlite.care")
                do {
                    let result = try await lane.perform(for: .seconds(3600), body)
                    await lane.close()
                    return result
                } catch {
                    await lane.close()
                    throw error
                }
            } catch let failure as SQLiteFailure {
                throw StoreError(failure)
            }
        }
    }
}

extension SQLiteStore: StoreInspecting {
    package var knownDamage: StoreError? { damage.withLock { $0 } }

    package func inspection() async throws -> [StoreFact] {
        var facts: [StoreFact] = []
        let versions = try await read(in: SystemScope.allTenants("inspection")) { transaction in
            try transaction.rows("SELECT sqlite_version() AS version").first?.get("version", as: String.self) ?? ""
        }
        facts.append(StoreFact("relational", "engine", "SQLite \(versions)"))
        do {
            let inspection = try await inspect()
            facts.append(StoreFact("relational", "pages", "\(inspection.pageCount), all with their checksums"))
            for fault in inspection.faults { facts.append(StoreFact("relational", "structure", fault, .problem)) }
        } catch let error as StoreError {
            facts.append(StoreFact("relational", "pages", "\(error)", .problem))
        }
        return facts
    }
}
