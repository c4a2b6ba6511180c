import Blobs
import LocalEngine
import SQLStores
import SeriesEngine
import VigilPorts
import VigilServices

#if Postgres
import PostgresAdapter
#endif

/// Opens the stores that the configuration names: the only place that knows which engine is which.
enum StoreFactory {
    /// The tables of the stores that stand on the relational one.
    static let migrations: [Migration] = [.jobs, .search, .geometry]

    /// The stores of a folder, its schema brought up to date.
    static func open(_ folder: DataFolder, _ settings: Settings, clock: any TimeSource) async throws -> Stores {
        try refuseWhatIsMissing(settings.configuration)
        let relational = try await RelationalChoice(settings).open(clock: clock)
        return Stores(
            relational: relational,
            series: try await SeriesEngine.open(
                folder: folder.series, clock: clock, configuration: seriesConfiguration(settings)),
            cache: LocalCache(clock: clock), locks: LocalLocks(clock: clock), limits: LocalRateLimits(clock: clock),
            bus: LocalBus(), jobs: SQLJobQueue(relational, clock: clock),
            blobs: try FolderBlobs(folder: folder.blobs))
    }

    static func seriesConfiguration(_ settings: Settings) -> SeriesConfiguration {
        var configuration = SeriesConfiguration()
        configuration.warmFolder = settings.configuration.text("stores.series.warm")
        configuration.archiveFolder = settings.configuration.text("stores.series.archive")
        configuration.memoryBytesMax = settings.configuration.integer("stores.series.memory_megabytes") << 20
        return configuration
    }

    /// Where places are looked up: by PostGIS where the database has it, else in the tables.
    static func geometry(on relational: any RelationalStore) async throws -> any GeometryStore {
        #if GEOS
        let table = SQLGeometry(relational)
        #if Postgres
        if let store = relational as? PostgresStore, try await PostGISGeometry.isAvailable(store) {
            return PostGISGeometry(store, table: table)
        }
        #endif
        return table
        #else
        return AbsentGeometry()
        #endif
    }

    /// Keys below `stores` that say more of a store and name none.
    private static let details: Set<String> = [
        "stores.series.warm", "stores.series.archive", "stores.series.memory_megabytes",
    ]

    private static func refuseWhatIsMissing(_ configuration: LoadedConfiguration) throws {
        if let fault = missing(in: configuration).first { throw fault }
    }

    /// The stores that the configuration names and this program does not hold.
    static func missing(in configuration: LoadedConfiguration) -> [ConfigurationFault] {
        configuration.entries.filter { $0.key.hasPrefix("stores.") && !details.contains($0.key) }
            .sorted { $0.key < $1.key }
            .compactMap { name, entry -> ConfigurationFault? in
                do throws(ConfigurationFault) {
                    try RelationalChoice.refuse(
                        entry, unless: name == "stores.relational" ? RelationalChoice.present : ["embedded"])
                    return nil
                } catch {
                    return error
                }
            }
    }
}
