import Blobs
import LocalEngine
import RelationalEngine
import SQLStores
import SeriesEngine
import VigilPorts
import VigilServices

/// Opens the stores that the configuration names: the only place that knows which engine is which.
enum StoreFactory {
    /// The tables of the stores that stand on the relational one.
    static let migrations: [Migration] = [.jobs, .search, .geometry]

    /// The stores of a folder, its schema brought up to date.
    static func open(_ folder: DataFolder, _ settings: Settings, clock: any TimeSource) async throws -> Stores {
        try refuseWhatIsMissing(settings.configuration)
        let relational = try SQLiteStore(path: folder.database)
        _ = try await SQLiteMigrator(relational, backups: folder.backups, clock: clock)
            .up(Migrations.all(migrations), to: nil, dryRun: false)
        return Stores(
            relational: relational,
            series: try await SeriesEngine.open(folder: folder.series, clock: clock),
            cache: LocalCache(clock: clock), locks: LocalLocks(clock: clock), limits: LocalRateLimits(clock: clock),
            bus: LocalBus(), jobs: SQLJobQueue(relational, clock: clock),
            blobs: try FolderBlobs(folder: folder.blobs))
    }

    /// A store that this program does not hold stops the start; it is never replaced by another in silence.
    private static func refuseWhatIsMissing(_ configuration: LoadedConfiguration) throws {
        for (name, entry) in configuration.entries where name.hasPrefix("stores.") {
            let present = name == "stores.relational" ? "sqlite" : "embedded"
            guard let value = entry.values.first, value != present else { continue }
            throw ConfigurationFault(
                key: name, value: value, allowed: "\(present): this program was built without that adapter",
                source: entry.source)
        }
    }
}
