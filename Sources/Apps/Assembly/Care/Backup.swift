import Foundation
import RelationalEngine
import SeriesEngine
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

/// Copies a data folder while it is in use.
///
/// The relational store is copied first: readings that the series copy has beyond it are judged again after a restore,
/// and none that it knows of is missing.
struct Backup: Sendable {
    let stores: Stores
    let clock: any TimeSource
    /// The data folder.
    let data: String

    /// Writes a backup to a folder that is absent or empty; an interrupted one never has its name.
    func make(_ order: BackupOrder) async throws -> BackupReport {
        let target = order.folder
        guard target.hasPrefix("/") else { throw ServiceError.invalid("folder", "must be a whole path") }
        guard !(target + "/").hasPrefix(URL(filePath: data).standardizedFileURL.path + "/") else {
            throw ServiceError.invalid("folder", "must lie outside of the data folder")
        }
        guard let relational = stores.relational as? SQLiteStore, let series = stores.series as? SeriesEngine else {
            throw ServiceError(
                .conflict, "backup.server",
                "This installation keeps its data in a server: copy that with the server's own tools (pg_dump).")
        }
        let files = FileManager.default
        let partial = target + ".partial"
        guard !files.fileExists(atPath: partial) else {
            throw ServiceError(
                .conflict, "backup.partial",
                "A backup to this folder is being made, or was interrupted: remove the folder that ends in .partial.")
        }
        guard try isFree(target) else {
            throw ServiceError(.conflict, "backup.exists", "The backup's folder is not empty: name another one.")
        }
        do {
            try files.createDirectory(
                atPath: partial + "/series", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try await relational.copy(to: partial + "/vigil.db")
            try await series.copy(into: partial + "/series")
            let archive = try await archive(of: series, order, partial)
            try copyBlobs(to: partial + "/blobs")
            if order.keys { try files.copyItem(atPath: data + "/keys", toPath: partial + "/keys") }
            let manifest = try finish(partial, as: target)
            return BackupReport(
                folder: target, files: manifest.files.count, bytes: manifest.bytes, keys: order.keys,
                madeAt: manifest.madeAt, archive: archive)
        } catch {
            try? files.removeItem(atPath: partial)
            guard let error = error as? CocoaError else { throw error }
            throw ServiceError(
                .unavailable, "backup.write",
                "The backup cannot be written: error \(error.code.rawValue). "
                    + "Look at the folder's rights and the free space of its disk.")
        }
    }

    /// Copies the archive when that is ordered; else says where it is, so that nobody believes it to be in the backup.
    private func archive(
        of series: SeriesEngine, _ order: BackupOrder, _ partial: String
    ) async throws -> BackupReport.ArchiveCopy? {
        let parts = try await series.archived()
        if parts.isEmpty { return nil }
        let isIncluded = order.archive ?? false
        if isIncluded {
            let folder = partial + "/series/archive"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try await series.copyArchive(into: folder)
        }
        return BackupReport.ArchiveCopy(
            folder: series.archiveFolder, files: parts.count, bytes: parts.reduce(0) { $0 + $1.bytes },
            isIncluded: isIncluded)
    }

    private func isFree(_ folder: String) throws -> Bool {
        guard FileManager.default.fileExists(atPath: folder) else { return true }
        return try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
    }

    private func finish(_ partial: String, as target: String) throws -> BackupManifest {
        let manifest = BackupManifest(
            version: Version.current, madeAt: clock.now().description,
            files: try BackupManifest.files(in: partial, isNew: true))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(manifest).write(to: URL(filePath: partial + "/" + BackupManifest.name))
        if FileManager.default.fileExists(atPath: target) { try FileManager.default.removeItem(atPath: target) }
        try FileManager.default.moveItem(atPath: partial, toPath: target)
        return manifest
    }

    /// Blobs never change; one that is removed meanwhile is not missed by the database's copy for long.
    private func copyBlobs(to target: String) throws {
        let files = FileManager.default
        let source = data + "/blobs"
        guard files.fileExists(atPath: source) else { return }
        for tenant in try files.contentsOfDirectory(atPath: source) where tenant != "incoming" {
            for path in try files.subpathsOfDirectory(atPath: source + "/" + tenant) {
                let (from, to) = ("\(source)/\(tenant)/\(path)", "\(target)/\(tenant)/\(path)")
                var isFolder: ObjCBool = false
                guard files.fileExists(atPath: from, isDirectory: &isFolder), !isFolder.boolValue else { continue }
                try files.createDirectory(
                    at: URL(filePath: to).deletingLastPathComponent(), withIntermediateDirectories: true)
                try files.copyItem(atPath: from, toPath: to)
            }
        }
    }
}
