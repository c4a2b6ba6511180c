/// One numbered step of the schema, with the way back.
package struct Migration: Sendable {
    /// From 1, without gaps.
    package let number: Int
    /// What it does, in `snake_case`.
    package let name: String
    /// The text of `NNNN_name.up.sql`, with placeholders and `-- only: sqlite|postgresql … -- end` blocks.
    package let up: String
    /// The text of `NNNN_name.down.sql`.
    package let down: String
    /// A step in Swift after `up`, in the same transaction, for what SQL cannot say.
    package let data: (@Sendable (any SQLTransaction) throws -> Void)?

    package init(
        number: Int, name: String, up: String, down: String,
        data: (@Sendable (any SQLTransaction) throws -> Void)? = nil
    ) {
        self.number = number
        self.name = name
        self.up = up
        self.down = down
        self.data = data
    }
}

/// A migration and whether this database has it.
package struct MigrationStatus: Sendable, Hashable {
    package enum State: String, Sendable, Hashable {
        case pending
        case applied
        /// Applied from a file that says something else now: refused.
        case changed
        /// Applied by a newer Vigil: refused.
        case unknown
    }

    package let number: Int
    package let name: String
    package let state: State
    /// SHA-256 of the files, in hexadecimal.
    package let checksum: String

    package init(number: Int, name: String, state: State, checksum: String) {
        self.number = number
        self.name = name
        self.state = state
        self.checksum = checksum
    }
}

/// Moves a database's schema.
///
/// Every relational engine has one.
package protocol SchemaMigrator: Sendable {
    func status(_ migrations: [Migration]) async throws -> [MigrationStatus]

    /// Applies what is pending up to `target` (all when `nil`), each migration in a transaction of its own, after a
    /// backup. Two processes cannot migrate at once: the second waits or throws `locked`.
    ///
    /// - Returns: What was applied.
    /// - Throws: `newerSchema` when the database has a migration that is not in `migrations`; `invalid` when an applied
    ///   one has changed.
    func up(_ migrations: [Migration], to target: Int?, dryRun: Bool) async throws -> [MigrationStatus]

    /// Takes back the last `steps` migrations, after a backup.
    func down(_ migrations: [Migration], steps: Int, dryRun: Bool) async throws -> [MigrationStatus]
}

extension SchemaMigrator {
    package func down(_ migrations: [Migration], steps: Int) async throws -> [MigrationStatus] {
        try await down(migrations, steps: steps, dryRun: false)
    }
}
