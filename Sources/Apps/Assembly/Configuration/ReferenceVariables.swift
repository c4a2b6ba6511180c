/// Understands the environment of the five reference systems.
///
/// What is said here counts less than any `VIGIL_…` variable, and more than `vigil.yaml`.
package enum ReferenceVariables {
    /// Our keys, as `environment` has them in the words of the reference systems.
    package static func values(in environment: [String: String]) -> [String: String] {
        let environment = environment.filter { !$0.value.isEmpty }
        var values: [String: String] = [:]
        for (variable, key) in copied {
            if let value = environment[variable], values[key] == nil { values[key] = value }
        }
        values["stores.relational"] = relational(environment)
        // Of a PostgreSQL server only the tables are meant as long as readings have no adapter for it: they stay embedded.
        if environment["INFLUX_URL"] != nil { values["stores.series"] = "influxdb" }
        if environment["REDIS_URL"] != nil {
            for store in ["cache", "bus", "jobs"] { values["stores.\(store)"] = "redis" }
        }
        for (variable, store, engine) in engines where environment[variable] != nil {
            values["stores.\(store)"] = engine
        }
        return values
    }

    /// The variable by which `environment` says a key, for messages.
    static func variable(for key: String, in environment: [String: String]) -> String? {
        let isSet: (String) -> Bool = { environment[$0]?.isEmpty == false }
        if key == "stores.relational" {
            return ["USE_SQLITE", "DATABASE_ENGINE", "DATABASE_URL", "POSTGRES_HOST"].first { name in
                isSet(name) && (name != "USE_SQLITE" || isTrue(environment[name] ?? ""))
            }
        }
        if let copied = copied.first(where: { $0.key == key && isSet($0.variable) }) { return copied.variable }
        let store = key.hasPrefix("stores.") ? String(key.dropFirst("stores.".count)) : ""
        if store == "series" { return "INFLUX_URL" }
        if ["cache", "bus", "jobs"].contains(store) { return "REDIS_URL" }
        return engines.first { $0.store == store && isSet($0.variable) }?.variable
    }

    private static func relational(_ environment: [String: String]) -> String? {
        if environment["USE_SQLITE"].map(isTrue) == true { return "sqlite" }
        if let engine = environment["DATABASE_ENGINE"]?.lowercased() {
            // Django names its engines by module: `django.db.backends.postgresql`.
            if engine.contains("sqlite") { return "sqlite" }
            if engine.contains("postg") { return "postgresql" }
            return engine
        }
        if let url = environment["DATABASE_URL"] { return url.hasPrefix("sqlite") ? "sqlite" : "postgresql" }
        return environment["POSTGRES_HOST"] != nil ? "postgresql" : nil
    }

    /// Refuses a switch that is neither on nor off.
    static func check(_ environment: [String: String]) throws(ConfigurationFault) {
        guard let text = environment["USE_SQLITE"], !text.isEmpty, !isTrue(text), !isFalse(text) else { return }
        throw ConfigurationFault(
            key: "stores.relational", value: text, allowed: "true or false", source: "USE_SQLITE")
    }

    private static func isFalse(_ text: String) -> Bool { ["0", "false", "no", "off"].contains(text.lowercased()) }

    private static func isTrue(_ text: String) -> Bool { ["1", "true", "yes", "on"].contains(text.lowercased()) }

    /// Variables whose value is taken as it is; the first that is set wins.
    private static let copied: [(variable: String, key: String)] = [
        ("DATABASE_URL", "postgres.url"),
        ("POSTGRES_HOST", "postgres.host"), ("POSTGRES_PORT", "postgres.port"), ("POSTGRES_DB", "postgres.database"),
        ("POSTGRES_USER", "postgres.user"), ("POSTGRES_PASSWORD", "postgres.password"),
        ("DB_PASSWORD", "postgres.password"),
        ("INFLUX_URL", "influx.url"), ("INFLUX_TOKEN", "influx.token"), ("INFLUX_ORG", "influx.org"),
        ("INFLUX_BUCKET", "influx.bucket"),
        ("REDIS_URL", "redis.url"),
        ("NEO4J_URI", "neo4j.url"), ("NEO4J_URL", "neo4j.url"), ("NEO4J_USER", "neo4j.user"),
        ("NEO4J_USERNAME", "neo4j.user"), ("NEO4J_PASSWORD", "neo4j.password"),
        ("MONGODB_URI", "mongodb.url"),
        ("MILVUS_HOST", "milvus.host"), ("MILVUS_PORT", "milvus.port"),
    ]

    private static let engines: [(variable: String, store: String, engine: String)] = [
        ("NEO4J_URI", "graph", "neo4j"), ("NEO4J_URL", "graph", "neo4j"), ("MONGODB_URI", "documents", "mongodb"),
        ("MILVUS_HOST", "vectors", "milvus"),
    ]
}
