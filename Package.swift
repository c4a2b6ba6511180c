// swift-tools-version: 6.2

import PackageDescription

// MARK: - Layers

/// The layers of the house, lowest first, with the layers each may import.
///
/// `Tests/Architecture` reads every `import` and holds it against the same table, because the package
/// manager lets a target import what it only depends on transitively.
enum Layer: String {
    case foundations = "Foundations"
    case model = "Model"
    case languages = "Languages"
    case ports = "Ports"
    case engines = "Engines"
    case adapters = "Adapters"
    case queries = "Queries"
    case services = "Services"
    case interface = "Interface"
    case packs = "Packs"
    case server = "Server"
    case apps = "Apps"
    case libraries = "Libraries"
}

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// Puts Swift's own libraries into the program, so that it runs where no toolchain is.
///
/// The package manager's switch for this would compile everything anew, and could not build the tests beside it.
let staticRuntime: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib", "-Xlinker", "--start-group"]
            + [
                "Foundation", "FoundationEssentials", "FoundationInternationalization", "CoreFoundation",
                "_FoundationICU", "_FoundationCShims", "_FoundationCollections", "swiftSynchronization",
            ].map { "-l\($0)" }
            + ["-Xlinker", "--end-group", "-ldl", "-lm"],
        .when(platforms: [.linux], configuration: .release))
]

/// A Swift target that lives in `Sources/<layer>/<name>`.
func target(
    _ layer: Layer,
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    embeds: Bool = false,
    exclude: [String] = [],
    settings: [SwiftSetting] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(layer.rawValue)/\(name)",
        exclude: exclude,
        swiftSettings: swiftSettings + settings,
        plugins: embeds ? ["EmbedFiles"] : []
    )
}

/// A C target that lives in `Sources/<layer>/<name>`.
func clang(
    _ layer: Layer, _ name: String, _ dependencies: [Target.Dependency] = [], links libraries: [String] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(layer.rawValue)/\(name)",
        linkerSettings: libraries.map { .linkedLibrary($0) }
    )
}

/// A library of the system, found by its `module.modulemap`.
func system(_ layer: Layer, _ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(
        name: name,
        path: "Sources/\(layer.rawValue)/\(name)",
        pkgConfig: pkgConfig,
        providers: [.apt([apt])]
    )
}

/// A test target that lives in `Tests/<path>`.
func tests(_ path: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(path)", swiftSettings: swiftSettings)
}

/// A target that tests share, in `Tests/Support/<name>`.
func support(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: swiftSettings)
}

// MARK: - Products of other packages

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let grdbSQLite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTLS = product(name: "HummingbirdTLS", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let mustache = product(name: "Mustache", package: "swift-mustache")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioWebSocket = product(name: "NIOWebSocket", package: "swift-nio")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

// MARK: - The package

let package = Package(
    name: "vigil",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Vigil", targets: ["Vigil", "VigilAPI"]),
        .library(name: "VigilClient", targets: ["VigilClient", "VigilAPI"]),
        .executable(name: "vigil", targets: ["vigil"]),
    ],
    traits: [
        .trait(name: "Postgres", description: "The relational store on PostgreSQL, by libpq."),
        .trait(name: "GEOS", description: "Geometry: what lies in, within or near, by GEOS."),
        .default(enabledTraits: ["Postgres", "GEOS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Foundations
        clang(.foundations, "CStorage"),
        target(.foundations, "StorageKit", ["CStorage"]),
        .target(
            name: "CRE2",
            path: "Sources/Foundations/CRE2",
            linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]
        ),
        target(.foundations, "PatternKit", ["CRE2"]),
        system(.foundations, "CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        target(.foundations, "ConnectionKit"),
        system(.foundations, "CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        target(.foundations, "GzipKit", ["CZlib"]),
        .systemLibrary(
            name: "CStemmer", path: "Sources/Foundations/CStemmer", providers: [.apt(["libstemmer-dev"])]),
        // Small and without a licence that asks for more: put into the program, so that nobody has to install it.
        .target(
            name: "StemmerKit", dependencies: ["CStemmer"], path: "Sources/Foundations/StemmerKit",
            swiftSettings: swiftSettings,
            linkerSettings: [
                .unsafeFlags(["-Xlinker", "-l:libstemmer.a"], .when(platforms: [.linux])),
                .linkedLibrary("stemmer", .when(platforms: [.macOS])),
            ]),
        system(.foundations, "CGEOS", pkgConfig: "geos", apt: "libgeos-dev"),
        target(.foundations, "GeometryKit", ["CGEOS"]),
        clang(.foundations, "CSQLiteVFS", ["CStorage"], links: ["sqlite3"]),
        target(.foundations, "SQLiteKit", ["CSQLiteVFS", "StorageKit", .grdb, .grdbSQLite]),
        // Model
        target(.model, "VigilModel"),
        target(.model, "VigilAPI"),
        // Languages
        target(.languages, "CSV"),
        target(.languages, "LineProtocol", ["VigilModel"]),
        target(.languages, "PromQL", ["VigilModel"]),
        // Ports
        target(.ports, "VigilPorts", ["VigilModel"], embeds: true),
        // Engines
        target(.engines, "RelationalEngine", ["VigilPorts", "VigilModel", "SQLiteKit", .crypto]),
        target(.engines, "LocalEngine", ["VigilPorts", "VigilModel", .deque]),
        target(
            .engines, "SQLStores",
            [
                "VigilPorts", "VigilModel", "StemmerKit",
                .target(name: "GeometryKit", condition: .when(traits: ["GEOS"])),
            ], embeds: true),
        target(.engines, "Blobs", ["VigilPorts", "VigilModel", "StorageKit", .crypto]),
        target(.engines, "SeriesEngine", ["VigilPorts", "VigilModel", "PatternKit", "SQLiteKit", "CZstd"]),
        // Adapters
        system(.adapters, "CLibPQ", pkgConfig: "libpq", apt: "libpq-dev"),
        target(.adapters, "SMTPAdapter", ["VigilModel", "VigilPorts", .nioCore, .nioPosix, .nioSSL]),
        target(.adapters, "PostgresAdapter", ["VigilModel", "VigilPorts", "ConnectionKit", "CLibPQ", .crypto]),
        // Queries
        target(
            .queries, "PromQLEvaluation", ["VigilPorts", "PromQL", "VigilModel"],
            // A short question is evaluated where it was asked, without a change of executor at each of its steps.
            settings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
        // Services
        target(
            .services, "VigilServices", ["LineProtocol", "CSV", "VigilPorts", "VigilModel", .crypto, .cryptoExtras],
            embeds: true),
        // Interface
        target(
            .interface, "VigilInterface", ["VigilServices", "PromQLEvaluation", "VigilPorts", "VigilModel", .httpTypes]),
        // Packs
        target(.packs, "HomeSecurity", ["VigilInterface", "VigilModel"]),
        target(.packs, "Boilers", ["VigilInterface", "VigilModel"]),
        target(.packs, "Water", ["VigilInterface", "VigilModel"]),
        target(.packs, "Fleet", ["VigilInterface", "VigilModel"]),
        // Server
        target(
            .server, "Dashboard", ["VigilInterface", "VigilServices", "VigilModel", .httpTypes, .mustache], embeds: true
        ),
        target(
            .server, "VigilServer",
            [
                "VigilInterface", "VigilServices", "VigilPorts", "VigilModel", "GzipKit", .crypto, .httpTypes,
                .hummingbirdCore, .hummingbirdTLS, .logging, .nioCore, .nioHTTP1, .nioHTTPTypes, .nioHTTPTypesHTTP1,
                .nioPosix, .nioSSL, .nioWebSocket, .serviceLifecycle,
            ]),
        // Apps
        target(
            .apps, "Assembly",
            [
                "VigilServer", "Dashboard", "VigilInterface", "VigilServices", "VigilPorts", "VigilModel", "VigilAPI",
                "RelationalEngine", .target(name: "PostgresAdapter", condition: .when(traits: ["Postgres"])),
                .target(name: "ConnectionKit", condition: .when(traits: ["Postgres"])),
                "SeriesEngine", "LocalEngine", "SQLStores", "Blobs", "SMTPAdapter", "StorageKit", "PromQLEvaluation",
                "PatternKit", "HomeSecurity", "Boilers", "Water",
                "Fleet", .asyncHTTPClient, .configuration, .crypto, .httpTypes, .logging, .nioCore, .nioHTTP1,
                .serviceLifecycle,
                .unixSignals, .yams,
            ]),
        .executableTarget(
            name: "vigil", dependencies: ["Assembly", .argumentParser, .logging], path: "Sources/Apps/vigil",
            swiftSettings: swiftSettings, linkerSettings: staticRuntime),
        // Libraries
        target(
            .libraries, "Vigil",
            ["VigilAPI", "Assembly", "VigilInterface", .httpTypes, .logging]),
        target(
            .libraries, "VigilClient", ["VigilAPI", .asyncHTTPClient, .nioCore, .nioHTTP1]),
        // Plugins
        .executableTarget(name: "EmbedFilesTool", path: "Plugins/EmbedFilesTool", swiftSettings: swiftSettings),
        .plugin(
            name: "EmbedFiles", capability: .buildTool(), dependencies: ["EmbedFilesTool"], path: "Plugins/EmbedFiles"),
        // Benchmarks
        .executableTarget(
            name: "RelationalBenchmark",
            dependencies: ["PostgresAdapter", "ConnectionKit", "VigilPorts", "VigilModel"],
            path: "Benchmarks/RelationalBenchmark", swiftSettings: swiftSettings),
        .executableTarget(
            name: "SeriesBenchmark", dependencies: ["SeriesEngine", "VigilPorts", "VigilModel"],
            path: "Benchmarks/SeriesBenchmark", swiftSettings: swiftSettings),
        // Tests
        support("TemporaryFolders"),
        .executableTarget(
            name: "CrashWriter", dependencies: ["RelationalEngine", "VigilPorts", "VigilModel"],
            path: "Tests/Support/CrashWriter", swiftSettings: swiftSettings),
        .executableTarget(
            name: "SeriesCrashWriter", dependencies: ["SeriesEngine", "VigilPorts", "VigilModel"],
            path: "Tests/Support/SeriesCrashWriter", swiftSettings: swiftSettings),
        support("ManualClock", ["VigilPorts", "VigilModel"]),
        support(
            "PostgresServers", ["PostgresAdapter", "ConnectionKit", "StoreContracts", "VigilPorts", "VigilModel"]),
        tests(
            "Engines/LocalEngineTests", "LocalEngineTests",
            ["LocalEngine", "ManualClock", "StoreContracts", "TemporaryFolders", "VigilPorts", "VigilModel"]),
        tests(
            "Engines/SQLStoresTests", "SQLStoresTests",
            [
                "SQLStores", "RelationalEngine", "ManualClock", "StoreContracts", "TemporaryFolders", "VigilPorts",
                "VigilModel",
            ]),
        tests(
            "Engines/BlobsTests", "BlobsTests",
            ["Blobs", "StorageKit", "StoreContracts", "TemporaryFolders", "VigilPorts", "VigilModel"]),
        tests(
            "Engines/RelationalEngineTests", "RelationalEngineTests",
            [
                "RelationalEngine", "CrashWriter", "SQLiteKit", "StoreContracts", "TemporaryFolders", "VigilPorts",
                "VigilModel",
            ]),
        tests(
            "Services/VigilServicesTests", "VigilServicesTests",
            [
                "Blobs", "LocalEngine", "PostgresAdapter", "PostgresServers", "RelationalEngine", "SQLStores",
                "SeriesEngine", "StoreContracts", "TemporaryFolders", "VigilModel", "VigilPorts", "VigilServices",
            ]),
        tests("Foundations/StorageKitTests", "StorageKitTests", ["StorageKit"]),
        tests("Languages/CSVTests", "CSVTests", ["CSV"]),
        tests("Languages/PromQLTests", "PromQLTests", ["PromQL", "VigilModel"]),
        tests("Languages/LineProtocolTests", "LineProtocolTests", ["LineProtocol", "VigilModel"]),
        tests(
            "Queries/PromQLEvaluationTests", "PromQLEvaluationTests",
            [
                "PromQLEvaluation", "PromQL", "PatternKit", "VigilInterface", "VigilServices", "VigilPorts",
                "VigilModel", .httpTypes,
            ]),
        tests(
            "Server/VigilServerTests", "VigilServerTests",
            [
                "VigilServer", "VigilInterface", "VigilServices", "VigilModel", .httpTypes, .nioCore, .nioEmbedded,
                .nioHTTP1,
            ]),
        tests("Architecture", "ArchitectureTests", ["StoreContracts"]),
        tests(
            "Apps/AssemblyTests", "AssemblyTests",
            [
                "Assembly", "Blobs", "LocalEngine", "RelationalEngine", "SQLStores", "SeriesEngine",
                "TemporaryFolders", "VigilInterface", "VigilModel", "VigilPorts", "VigilServices", .httpTypes,
            ]),
        tests("Libraries/VigilTests", "VigilTests", ["Vigil", "VigilAPI", "TemporaryFolders"]),
        .target(
            name: "StoreContracts",
            dependencies: ["VigilPorts", "VigilModel"],
            path: "Tests/Support/StoreContracts",
            swiftSettings: swiftSettings
        ),
        tests(
            "Engines/SeriesEngineTests", "SeriesEngineTests",
            ["SeriesEngine", "SeriesCrashWriter", "StoreContracts", "VigilPorts", "VigilModel"]),
        tests("Foundations/SQLiteKitTests", "SQLiteKitTests", ["SQLiteKit", "TemporaryFolders"]),
        tests(
            "Adapters/PostgresAdapterTests", "PostgresAdapterTests",
            [
                "PostgresAdapter", "PostgresServers", "SQLStores", "VigilServices", "ConnectionKit", "ManualClock",
                "StoreContracts", "VigilPorts", "VigilModel",
            ]),
        tests("Foundations/ConnectionKitTests", "ConnectionKitTests", ["ConnectionKit"]),
        tests("Model/VigilModelTests", "VigilModelTests", ["VigilModel"]),
    ]
)
