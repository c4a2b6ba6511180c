#if Postgres
import ConnectionKit
import PostgresAdapter

extension PostgresConfiguration {
    /// - Throws: ``ConfigurationFault`` when nothing says where the server is.
    init(_ configuration: LoadedConfiguration) throws {
        if let url = configuration.text("postgres.url") {
            self.init(url: url)
        } else if let host = configuration.text("postgres.host") {
            let pairs = [
                ("host", host), ("port", configuration.required("postgres.port")),
                ("dbname", configuration.required("postgres.database")),
                ("user", configuration.required("postgres.user")),
            ]
            self.init(url: pairs.map { "\($0.0)='\(Self.quoted($0.1))'" }.joined(separator: " "))
        } else {
            throw ConfigurationFault(
                key: "postgres.url", value: nil,
                allowed: "set (or postgres.host), because stores.relational is postgresql",
                source: configuration.entries["stores.relational"]?.source ?? "default")
        }
        replicaURL = configuration.text("postgres.replica_url")
        password = configuration.text("postgres.password")
        tenantRole = configuration.required("postgres.tenant_role")
        systemRole = configuration.required("postgres.system_role")
        pool.maximum = configuration.integer("postgres.pool")
    }

    private static func quoted(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    }
}
#endif
