import RelationalEngine
import StoreContracts
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLiteContractTests {
    @Test(arguments: RelationalContract.clauses)
    func `SQLite keeps the relational contract`(clause: RelationalContract.Clause) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.file("a.db"))
        let migrator = SQLiteMigrator(store, backups: nil, clock: StillClock())
        _ = try await migrator.up(RelationalContract.migrations, to: nil, dryRun: false)
        let subject = RelationalSubject(store, hasRowSecurity: false)
        try await ContractReport.shared.check(
            clause, port: "relational", store: "sqlite", declares: ["relational/row-security"], subject)
        await store.close()
    }

    @Test(arguments: DatabaseContract.clauses)
    func `SQLite keeps the contract of a whole database`(clause: DatabaseContract.Clause) async throws {
        let folder = try TemporaryFolder()
        let count = Counter()
        let subject = DatabaseSubject("sqlite") {
            let store = try SQLiteStore(
                path: folder.file("\(count.next()).db"), readerCount: 2, rowLimit: DatabaseSubject.rowLimit)
            return (store, SQLiteMigrator(store, backups: folder.file("backups"), clock: StillClock()))
        }
        try await ContractReport.shared.check(clause, port: "relational", store: subject.name, subject)
    }
}

struct StillClock: TimeSource {
    func now() -> Timestamp { Timestamp(seconds: 1_700_000_000) }
    func wait(until deadline: Timestamp) async throws { try Task.checkCancellation() }
}
