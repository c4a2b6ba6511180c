import Blobs
import LocalEngine
import PostgresAdapter
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
        let relational = try await RelationalChoice(settings, folder: folder).open(clock: clock)
        return Stores(
            relational: relational,
            series: try await SeriesEngine.open(folder: folder.series, clock: clock),
            cache: LocalCache(clock: clock), locks: LocalLocks(clock: clock), limits: LocalRateLimits(clock: clock),
            bus: LocalBus(), jobs: SQLJobQueue(relational, clock: clock),
            blobs: try FolderBlobs(folder: folder.blobs))
    }

    /// Where places are looked up: by PostGIS where the database has it, else in the tables.
    static func geometry(on relational: any RelationalStore) async throws -> any GeometryStore {
        let table = SQLGeometry(relational)
        guard let store = relational as? PostgresStore, try await PostGISGeometry.isAvailable(store) else {
            return table
        }
        return PostGISGeometry(store, table: table)
    }

    /// A store that this program does not hold stops the start; it is never replaced by another in silence.
    private static func refuseWhatIsMissing(_ configuration: LoadedConfiguration) throws {
        for (name, entry) in configuration.entries where name.hasPrefix("stores.") {
            let present = name == "stores.relational" ? ["sqlite", "postgresql"] : ["embedded"]
            guard let value = entry.values.first, !present.contains(value) else { continue }
            throw ConfigurationFault(
                key: name, value: value,
                allowed: "\(present.joined(separator: " or ")): this program was built without that adapter",
                source: entry.source)
        }
    }
}
