import PostgresAdapter
package import VigilPorts

/// Databases that are copied from one that was migrated once: many tests then have a schema each, at little cost.
package actor PostgresTemplate {
    private let server: PostgresServer
    private let migrations: [Migration]
    private var original: Task<PostgresDatabase, any Error>?
    private var idle: [PostgresDatabase] = []

    package init(_ server: PostgresServer, _ migrations: [Migration]) {
        self.server = server
        self.migrations = migrations
    }

    /// A new database with the schema, and nothing in it.
    package func copy() async throws -> PostgresDatabase {
        let (server, migrations) = (server, migrations)
        let task =
            original
            ?? Task {
                let database = try await server.database(migrations)
                try await server.administer(in: database.name, ["CREATE SCHEMA seeds", Self.keepSeeds])
                return database
            }
        original = task
        let original = try await task.value
        let name = PostgresServer.newName()
        // Somebody of the server itself (a worker of an extension) may look into the original in this moment.
        for attempt in 1...5 {
            do {
                try await server.administer(
                    in: "postgres",
                    ["CREATE DATABASE \(name) TEMPLATE \(original.name) OWNER \(original.name) STRATEGY FILE_COPY"])
                break
            } catch let error as StoreError where error.details["sqlstate"] == "55006" && attempt < 5 {
                continue
            }
        }
        var configuration = original.configuration
        configuration.url = PostgresServer.url(server.url, database: name)
        return PostgresDatabase(server: server, name: name, configuration: configuration)
    }

    /// A database as after ``copy()``: one that was given back, or a new one.
    ///
    /// To make one takes the server a second on a busy machine, to empty one a tenth of that.
    package func borrow() async throws -> PostgresDatabase {
        if let database = idle.popLast() { return database }
        return try await copy()
    }

    /// Empties a borrowed database that nobody uses any more, for the next one.
    package func giveBack(_ database: PostgresDatabase) async throws {
        try await server.administer(in: database.name, [Self.emptying])
        idle.append(database)
    }

    /// Removes a copy that nobody uses any more.
    package func drop(_ database: PostgresDatabase) async throws {
        try await server.administer(in: "postgres", ["DROP DATABASE IF EXISTS \(database.name) WITH (FORCE)"])
    }

    /// What the migrations wrote is kept beside, to be written again.
    private static let keepSeeds = """
        DO $$ DECLARE t record; isFilled boolean; BEGIN
            FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname <> 'schema_migrations'
            LOOP
                EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t.relname) INTO isFilled;
                IF isFilled THEN EXECUTE format('CREATE TABLE seeds.%I AS TABLE public.%I', t.relname, t.relname); END IF;
            END LOOP;
        END $$
        """

    /// Without foreign keys meanwhile, so that any order will do.
    private static let emptying = """
        DO $$ DECLARE t record; BEGIN
            SET LOCAL session_replication_role = replica;
            FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname <> 'schema_migrations'
            LOOP EXECUTE format('DELETE FROM public.%I', t.relname); END LOOP;
            FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'seeds'::regnamespace
            LOOP EXECUTE format('INSERT INTO public.%I SELECT * FROM seeds.%I', t.relname, t.relname); END LOOP;
        END $$
        """
}
