import HTTPTypes
import VigilServices

/// Where a backup goes, and what it holds.
package struct BackupOrder: Codable, Sendable {
    /// A whole path; the folder is absent or empty.
    package var folder: String
    /// With the installation's key, which opens the secrets in the backup.
    package var keys: Bool
    /// With the archive of readings, wherever it lies; without it the answer names the archive.
    package var archive: Bool?
}

/// A backup that was made.
package struct BackupReport: Codable, Sendable {
    package var folder: String
    package var files: Int
    package var bytes: Int
    package var keys: Bool
    package var madeAt: String
    /// What lies in the archive of readings, and is not in the backup unless that was ordered.
    package var archive: ArchiveCopy?

    /// The archive of readings and what became of it.
    package struct ArchiveCopy: Codable, Sendable {
        /// Where it lies.
        package var folder: String
        package var files: Int
        package var bytes: Int
        /// Whether the backup holds it.
        package var isIncluded: Bool

        package init(folder: String, files: Int, bytes: Int, isIncluded: Bool) {
            self.folder = folder
            self.files = files
            self.bytes = bytes
            self.isIncluded = isIncluded
        }
    }

    package init(
        folder: String, files: Int, bytes: Int, keys: Bool, madeAt: String, archive: ArchiveCopy? = nil
    ) {
        self.archive = archive
        self.folder = folder
        self.files = files
        self.bytes = bytes
        self.keys = keys
        self.madeAt = madeAt
    }
}

extension OperationsRoutes {
    /// Makes a backup, for `vigil backup`.
    package static func backup(
        _ make: @escaping @Sendable (BackupOrder) async throws -> BackupReport
    ) -> Endpoint {
        .send(
            .post, "/api/local/backup", "Copies the data folder while it is in use.", tag: "operations",
            access: .local, body: BackupOrder.self, answers: BackupReport.self
        ) { _, order in
            try await make(order)
        }
    }
}
