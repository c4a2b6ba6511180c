/// One thing that can be configured.
///
/// In `vigil.yaml` the dots are levels; in the environment `server.port` is `VIGIL_SERVER_PORT`.
package struct ConfigurationKey: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case text
        case integer(ClosedRange<Int>)
        case boolean
        case choice([String])
        /// Texts, in the environment with commas between.
        case list
    }

    package let name: String
    package let meaning: String
    package let kind: Kind
    /// What holds when nobody says anything; `nil`: nothing does.
    package let standard: String?
    package let isSecret: Bool

    init(_ name: String, _ meaning: String, _ kind: Kind = .text, standard: String? = nil, isSecret: Bool = false) {
        self.name = name
        self.meaning = meaning
        self.kind = kind
        self.standard = standard
        self.isSecret = isSecret
    }

    /// The name in the environment.
    package var environmentName: String {
        "VIGIL_" + String(name.uppercased().map { $0 == "." ? "_" : $0 })
    }

    /// What may stand there, for people.
    package var allowed: String {
        switch kind {
        case .text: "a text"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let choices): choices.joined(separator: ", ")
        case .list: "a list of texts"
        }
    }

    func accepts(_ value: String) -> Bool {
        switch kind {
        case .text, .list: true
        case .integer(let range): Int(value).map(range.contains) ?? false
        case .boolean: ["true", "false"].contains(value.lowercased())
        case .choice(let choices): choices.contains(value)
        }
    }
}

extension ConfigurationKey {
    /// Every key, in the order of the reference.
    package static let all: [ConfigurationKey] = general + server + mail + log + stores + engines

    private static let general = [
        ConfigurationKey("data", "The data folder.", standard: "./vigil-data"),
        ConfigurationKey(
            "environment", "What the installation is for: `production` refuses `vigil reset`.",
            .choice(["development", "production"]), standard: "development"),
        ConfigurationKey(
            "master_key", "The installation's key, 64 hexadecimal digits, instead of the data folder's file.",
            isSecret: true),
    ]

    private static let server = [
        ConfigurationKey("server.host", "The address to listen on.", standard: "127.0.0.1"),
        ConfigurationKey(
            "server.port", "The port to listen on; 0 takes a free one.", .integer(0...65_535), standard: "8080"),
        ConfigurationKey("server.tls.certificate", "A PEM file with the certificate and its chain: turns TLS on."),
        ConfigurationKey("server.tls.key", "A PEM file with the certificate's key."),
        ConfigurationKey(
            "server.trusted_proxies", "Addresses or networks whose `X-Forwarded-For` and `-Proto` are believed.", .list),
        ConfigurationKey(
            "server.limits.connections", "Open connections; one more is answered 503.", .integer(1...1_000_000),
            standard: "10000"),
        ConfigurationKey(
            "server.limits.requests", "Requests at once; one more is answered 503.", .integer(1...100_000),
            standard: "1024"),
        ConfigurationKey(
            "server.limits.readings_megabytes",
            "Megabytes of bodies with readings that are read, decoded and stored at once; one more is answered 503.",
            .integer(1...65_536), standard: "256"),
        ConfigurationKey(
            "server.rate.anonymous", "Requests per second of an address without a credential; 0: any number.",
            .integer(0...1_000_000), standard: "200"),
        ConfigurationKey(
            "server.rate.principal", "Requests per second of a signed-in caller; 0: any number.",
            .integer(0...1_000_000), standard: "0"),
        ConfigurationKey(
            "server.rate.tenant", "Requests per second of all callers of one tenant; 0: any number.",
            .integer(0...1_000_000), standard: "0"),
        ConfigurationKey(
            "server.rate.readings", "Readings per second of one tenant; 0: any number.", .integer(0...100_000_000),
            standard: "0"),
        ConfigurationKey("server.public_url", "Where people reach this server, for links in letters."),
        ConfigurationKey("pin.digits", "How many digits a PIN has.", .integer(4...12), standard: "4"),
        ConfigurationKey(
            "pages.map_tiles", "Where map tiles come from, as Leaflet writes it; nothing is loaded without."),
    ]

    private static let mail = [
        ConfigurationKey(
            "mail.smtp.host",
            "The mail server that takes letters; without it they are files in `mail/` of the data folder."),
        ConfigurationKey("mail.smtp.port", "The mail server's port.", .integer(1...65_535), standard: "587"),
        ConfigurationKey(
            "mail.smtp.security",
            "`starttls`: plain until it is made safe; `tls`: safe from the first byte (port 465); `none`: for a server on this machine.",
            .choice(["starttls", "tls", "none"]), standard: "starttls"),
        ConfigurationKey("mail.smtp.user", "Whom the mail server knows; nobody signs in without."),
        ConfigurationKey("mail.smtp.password", "The password for the mail server.", isSecret: true),
        ConfigurationKey(
            "mail.smtp.trust",
            "A PEM file with certificates to trust instead of the system's, for a mail server of one's own."
        ),
        ConfigurationKey(
            "mail.from", "Whom letters come from: an address, or `Name <address>`; needed for a mail server."),
    ]

    private static let log = [
        ConfigurationKey(
            "log.level", "The least important line that is written.",
            .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), standard: "info"),
        ConfigurationKey(
            "log.format", "How lines look on standard error.", .choice(["text", "json"]), standard: "text"),
        ConfigurationKey("log.keep_days", "How long lines can be searched.", .integer(1...3_650), standard: "14"),
    ]

    /// How `vigil.yaml` names the value of a key that has other keys below it: `stores: {series: {engine: embedded}}`.
    static let ownName = "engine"

    private static let stores = [
        store("relational", "embedded", ["sqlite", "postgresql"], standard: "sqlite"),
        store("series", "readings", ["embedded", "timescale", "influxdb"]),
        ConfigurationKey(
            "stores.series.warm", "The folder of the warm tier of readings; inside the data folder when absent."),
        ConfigurationKey(
            "stores.series.archive", "The folder of archived readings; inside the data folder when absent."),
        ConfigurationKey(
            "stores.series.memory_megabytes",
            "Megabytes of readings in memory before they go into files; as much again, at least 32, while they do, then 503.",
            .integer(8...65_536), standard: "128"),
        store("graph", "the graph", ["embedded", "neo4j"]),
        store("documents", "documents", ["embedded", "mongodb"]),
        store("vectors", "embeddings", ["embedded", "milvus"]),
        store("cache", "the cache", ["embedded", "redis"]),
        store("jobs", "background work", ["embedded", "redis"]),
        store("bus", "live messages", ["embedded", "redis"]),
        store("blobs", "files", ["embedded", "s3"]),
    ]

    private static func store(
        _ name: String, _ what: String, _ choices: [String], standard: String = "embedded"
    ) -> ConfigurationKey {
        let verb = ["graph", "cache", "jobs"].contains(name) ? "is" : "are"
        let meaning =
            name == "relational" ? "Where everything but readings is kept." : "Where \(what) \(verb) kept."
        return ConfigurationKey("stores.\(name)", meaning, .choice(choices), standard: standard)
    }

    private static let engines = [
        ConfigurationKey("postgres.url", "PostgreSQL, as libpq reads it.", isSecret: true),
        ConfigurationKey("postgres.host", "PostgreSQL's host, where there is no URL."),
        ConfigurationKey("postgres.port", "PostgreSQL's port.", .integer(1...65_535), standard: "5432"),
        ConfigurationKey("postgres.database", "PostgreSQL's database.", standard: "vigil"),
        ConfigurationKey("postgres.user", "PostgreSQL's user.", standard: "vigil"),
        ConfigurationKey("postgres.password", "PostgreSQL's password.", isSecret: true),
        ConfigurationKey(
            "postgres.pool", "Connections to PostgreSQL at most.", .integer(2...1_000), standard: "16"),
        ConfigurationKey(
            "postgres.tenant_role", "The role that works within one tenant; it owns nothing.", standard: "vigil_tenant"),
        ConfigurationKey(
            "postgres.system_role", "The role of work for all tenants; it owns nothing.", standard: "vigil_system"),
        ConfigurationKey(
            "postgres.replica_url",
            "Standbys, as libpq reads it, for reads that may be a moment behind; without it all reads stay on the primary.",
            isSecret: true),
        ConfigurationKey(
            "postgres.pg_dump",
            "The pg_dump that copies the database before its schema is moved, instead of the newest that is found."),
        ConfigurationKey("influx.url", "InfluxDB's address."),
        ConfigurationKey("influx.token", "InfluxDB's token.", isSecret: true),
        ConfigurationKey("influx.org", "InfluxDB's organisation."),
        ConfigurationKey("influx.bucket", "InfluxDB's bucket."),
        ConfigurationKey("redis.url", "Redis' address.", isSecret: true),
        ConfigurationKey("neo4j.url", "Neo4j's Bolt address."),
        ConfigurationKey("neo4j.user", "Neo4j's user.", standard: "neo4j"),
        ConfigurationKey("neo4j.password", "Neo4j's password.", isSecret: true),
        ConfigurationKey("mongodb.url", "MongoDB's address.", isSecret: true),
        ConfigurationKey("milvus.host", "Milvus' host."),
        ConfigurationKey("milvus.port", "Milvus' port.", .integer(1...65_535), standard: "19530"),
    ]
}
