import Assembly
import Foundation
import TemporaryFolders
import Testing

@Suite struct ConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let environment: [String: String]
        let expected: [String: String]
        var testDescription: String {
            environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")
        }

        init(_ environment: [String: String], _ expected: [String: String]) {
            self.environment = environment
            self.expected = expected
        }
    }

    static let references = [
        Case(["USE_SQLITE": "true", "DATABASE_ENGINE": "postgresql"], ["stores.relational": "sqlite"]),
        Case(["DATABASE_ENGINE": "sqlite"], ["stores.relational": "sqlite"]),
        Case(["DATABASE_ENGINE": "django.db.backends.sqlite3"], ["stores.relational": "sqlite"]),
        Case(["DATABASE_ENGINE": "postgresql"], ["stores.relational": "postgresql", "stores.series": "embedded"]),
        Case(["DATABASE_ENGINE": "django.db.backends.postgresql"], ["stores.relational": "postgresql"]),
        Case(
            ["DATABASE_URL": "postgresql://a@h/d"],
            ["stores.relational": "postgresql", "postgres.url": "postgresql://a@h/d"]),
        Case(["DATABASE_URL": "sqlite:///x.db"], ["stores.relational": "sqlite"]),
        Case(
            [
                "POSTGRES_HOST": "h", "POSTGRES_PORT": "6432", "POSTGRES_DB": "d", "POSTGRES_USER": "u",
                "POSTGRES_PASSWORD": "p",
            ],
            [
                "stores.relational": "postgresql", "postgres.host": "h", "postgres.port": "6432",
                "postgres.database": "d", "postgres.user": "u", "postgres.password": "p",
            ]),
        Case(["POSTGRES_HOST": "h", "DB_PASSWORD": "q"], ["postgres.password": "q", "postgres.database": "vigil"]),
        Case(["POSTGRES_HOST": ""], ["stores.relational": "sqlite"]),
        Case(
            ["INFLUX_URL": "http://i", "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"],
            [
                "stores.series": "influxdb", "influx.url": "http://i", "influx.token": "t", "influx.org": "o",
                "influx.bucket": "b",
            ]),
        Case(
            ["REDIS_URL": "redis://r"],
            ["stores.cache": "redis", "stores.bus": "redis", "stores.jobs": "redis", "redis.url": "redis://r"]),
        Case(
            ["NEO4J_URI": "bolt://n", "NEO4J_USER": "u", "NEO4J_PASSWORD": "p"],
            ["stores.graph": "neo4j", "neo4j.url": "bolt://n", "neo4j.user": "u", "neo4j.password": "p"]),
        Case(["MONGODB_URI": "mongodb://m"], ["stores.documents": "mongodb", "mongodb.url": "mongodb://m"]),
        Case(
            ["MILVUS_HOST": "v", "MILVUS_PORT": "1"],
            ["stores.vectors": "milvus", "milvus.host": "v", "milvus.port": "1"]),
        Case(
            ["DATABASE_ENGINE": "postgresql", "VIGIL_STORES_RELATIONAL": "sqlite"], ["stores.relational": "sqlite"]),
    ]

    @Test(arguments: references)
    func `the variables of the reference systems mean what they mean there`(_ item: Case) async throws {
        let loaded = try await LoadedConfiguration.load(flags: [:], environment: item.environment, file: nil)
        for (key, value) in item.expected { #expect(loaded.text(key) == value, "\(key)") }
    }

    @Test func `a switch that is neither on nor off is refused by its name`() async throws {
        for text in ["false", "0", "", "No"] {
            _ = try await LoadedConfiguration.load(flags: [:], environment: ["USE_SQLITE": text], file: nil)
        }
        let fault = await #expect(throws: ConfigurationFault.self) {
            _ = try await LoadedConfiguration.load(flags: [:], environment: ["USE_SQLITE": "maybe"], file: nil)
        }
        let words = fault?.description ?? ""
        #expect(words.contains("USE_SQLITE") && words.contains("true or false"), "\(words)")
    }

    @Test func `flags win over the environment, that over the file, that over defaults`() async throws {
        let folder = try TemporaryFolder("vigil-configuration")
        try folder.write(
            Array("server:\n  port: 1003\n  host: 10.0.0.3\nlog:\n  level: error\n".utf8), to: "vigil.yaml")
        let loaded = try await LoadedConfiguration.load(
            flags: ["server.port": "1001"],
            environment: ["VIGIL_SERVER_PORT": "1002", "VIGIL_SERVER_HOST": "10.0.0.2"],
            file: folder.file("vigil.yaml"))
        #expect(loaded.text("server.port") == "1001")
        #expect(loaded.entries["server.port"]?.source == "flag")
        #expect(loaded.text("server.host") == "10.0.0.2")
        #expect(loaded.entries["server.host"]?.source == "environment")
        #expect(loaded.text("log.level") == "error")
        #expect(loaded.entries["log.level"]?.source == "vigil.yaml")
        #expect(loaded.entries["log.keep_days"]?.source == "default")
    }

    @Test func `a key with keys below it is a mapping in the file, with its own value beside them`() async throws {
        let folder = try TemporaryFolder("vigil-configuration")
        for (text, engine, warm) in [
            ("stores:\n  series:\n    engine: influxdb\n    warm: /far\n", "influxdb", "/far"),
            ("stores:\n  series:\n    warm: /far\n", "embedded", "/far"),
            ("stores:\n  series: influxdb\n", "influxdb", nil),
        ] as [(String, String, String?)] {
            try folder.write(Array(text.utf8), to: "vigil.yaml")
            let loaded = try await LoadedConfiguration.load(
                flags: [:], environment: [:], file: folder.file("vigil.yaml"))
            #expect(loaded.text("stores.series") == engine)
            #expect(loaded.text("stores.series.warm") == warm)
        }
        try folder.write(Array("stores:\n  series:\n    engin: embedded\n".utf8), to: "vigil.yaml")
        await #expect(throws: ConfigurationFault.self) {
            _ = try await LoadedConfiguration.load(flags: [:], environment: [:], file: folder.file("vigil.yaml"))
        }
    }

    @Test(arguments: ConfigurationKey.all.map(\.name))
    func `every key can be set by its environment variable, and a wrong value is refused by name`(
        _ name: String
    ) async throws {
        let key = try #require(ConfigurationKey.all.first { $0.name == name })
        let (good, wrong): (String, String?) =
            switch key.kind {
            case .text: ("some text", nil)
            case .list: ("one", nil)
            case .integer(let range): (String(range.upperBound), String(range.upperBound) + "0")
            case .boolean: ("true", "perhaps")
            case .choice(let choices): (choices[choices.count - 1], "nonsense")
            }
        let loaded = try await LoadedConfiguration.load(flags: [:], environment: [key.environmentName: good], file: nil)
        #expect(loaded.entries[key.name]?.values == [good])
        #expect(loaded.entries[key.name]?.source == "environment")
        if key.isSecret { #expect(loaded.entries[key.name]?.shown == "(set)") }
        guard let wrong else { return }
        let fault = await #expect(throws: ConfigurationFault.self) {
            try await LoadedConfiguration.load(flags: [:], environment: [key.environmentName: wrong], file: nil)
        }
        #expect(fault?.key == key.name && fault?.value == wrong && fault?.allowed == key.allowed)
    }

    @Test(arguments: [
        ("server:\n  prot: 80\n", ["server.prot", "line 2", "server.port"]),
        ("stores:\n  relationl: sqlite\n", ["stores.relationl", "stores.relational"]),
        ("colour: blue\n", ["colour", "line 1"]),
        ("server: [\n", ["not a YAML file"]),
        ("- a\n- b\n", ["keys and values"]),
    ])
    func `a key that nobody reads stops the start and is named`(text: String, parts: [String]) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/vigil.yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let fault = await #expect(throws: ConfigurationFault.self) {
            try await LoadedConfiguration.load(flags: [:], environment: [:], file: file)
        }
        for part in parts { #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")") }
    }

    @Test(arguments: [
        (["DATABASE_ENGINE": "oracle"], "(from DATABASE_ENGINE) is \"oracle\""),
        (["POSTGRES_HOST": "h", "POSTGRES_PORT": "x"], "(from POSTGRES_PORT) is \"x\""),
        (["MILVUS_HOST": "h", "MILVUS_PORT": "0"], "(from MILVUS_PORT) is \"0\""),
    ])
    func `a wrong value of a reference variable names the variable`(environment: [String: String], part: String)
        async throws
    {
        let fault = await #expect(throws: ConfigurationFault.self) {
            try await LoadedConfiguration.load(flags: [:], environment: environment, file: nil)
        }
        #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")")
    }

    @Test func `a variable that is nearly one of ours stops the start, and others do not`() async throws {
        let fault = await #expect(throws: ConfigurationFault.self) {
            try await LoadedConfiguration.load(flags: [:], environment: ["VIGIL_SERVER_PROT": "80"], file: nil)
        }
        #expect(fault?.description.contains("did you mean VIGIL_SERVER_PORT?") == true)
        _ = try await LoadedConfiguration.load(flags: [:], environment: ["VIGIL_SHARED": "/x"], file: nil)
    }
}
