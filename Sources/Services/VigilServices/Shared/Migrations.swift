package import VigilPorts

/// The schema of the core, from the migrations that lie beside the services.
package enum Migrations {
    /// All migrations in order.
    ///
    /// A service adds one by putting `NNNN_name.up.sql` and `NNNN_name.down.sql` into its `Migrations` folder.
    /// `others` are those of engines and packs: the SQL job queue's.
    package static func all(_ others: [Migration] = []) -> [Migration] {
        let suffix = ".up.sql"
        let embedded = EmbeddedFiles.all.keys.filter { $0.hasSuffix(suffix) }.map { path in
            let parts = path.dropLast(suffix.count).split(separator: "/")
            return Migration(
                embedded: String(parts.last ?? ""), folder: parts.dropLast().joined(separator: "/"),
                text: EmbeddedFiles.text)
        }
        return ([.outbox] + others + embedded).sorted { $0.number < $1.number }
    }
}
