import Foundation
package import Logging
import SeriesEngine
import StorageKit
import VigilModel
import VigilPorts
import VigilServices

/// Looks at an installation and says what is wrong with it, for `vigil doctor`.
package struct Doctor: Sendable {
    private let settings: Settings
    private let logger: Logger
    private let clock = SystemClock()

    package init(settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Everything that was found, area by area.
    package struct Report: Codable, Sendable {
        let facts: [StoreFact]

        /// Whether nothing is a problem.
        package var isSound: Bool { !facts.contains { $0.state == .problem } }

        /// One line for each fact, for people.
        package var lines: [String] {
            let width = (facts.map { $0.area.count + $0.name.count + 1 }.max() ?? 0) + 2
            return facts.map { fact in
                let title = "\(fact.area) \(fact.name)"
                let mark =
                    switch fact.state {
                    case .ok: "ok      "
                    case .warning: "warning "
                    case .problem: "PROBLEM "
                    }
                return mark + title + String(repeating: " ", count: max(1, width - title.count)) + fact.value
            }
        }
    }

    package func report() async throws -> Report {
        Report(facts: configuration() + folder() + disk() + time() + (try await stores()))
    }

    // MARK: Configuration

    private func configuration() -> [StoreFact] {
        settings.configuration.entries.values.filter { $0.source != "default" }
            .sorted { $0.key.name < $1.key.name }
            .map { StoreFact("configuration", $0.key.name, "\($0.shown) (\($0.source))") }
            + StoreFactory.missing(in: settings.configuration).map {
                StoreFact("configuration", $0.key, "\($0)", .problem)
            }
    }

    // MARK: The folder and its disk

    private func folder() -> [StoreFact] {
        let manager = FileManager.default
        guard manager.fileExists(atPath: settings.data) else {
            return [StoreFact("folder", "path", "\(settings.data) is not there yet; vigil serve makes it", .warning)]
        }
        var facts = [StoreFact("folder", "path", settings.data)]
        for (name, isSecret) in [("", false), ("keys", true), ("vigil.db", false)] {
            let path = name.isEmpty ? settings.data : settings.data + "/" + name
            guard let mode = (try? manager.attributesOfItem(atPath: path))?[.posixPermissions] as? Int else { continue }
            let isOpen = mode & 0o077 != 0
            facts.append(
                StoreFact(
                    "folder", name.isEmpty ? "mode" : "mode of \(name)",
                    String(mode & 0o777, radix: 8) + (isOpen ? ": others on this machine can read it" : ""),
                    isOpen ? (isSecret ? .problem : .warning) : .ok))
        }
        let fault = DataFolder.keyFault(in: settings.data, configured: settings.configuration.text("master_key"))
        if let fault { facts.append(StoreFact("folder", "keys", fault, .problem)) }
        for name in ["vigil.db", "series", "blobs", "backups"] {
            let path = settings.data + "/" + name
            guard let size = Self.size(of: path) else { continue }
            // Beside a running server much of a database may still lie in its write-ahead log.
            let log = Self.size(of: path + "-wal") ?? 0
            facts.append(StoreFact("folder", "size of \(name)", Self.text(ofBytes: size + log)))
        }
        return facts
    }

    private func disk() -> [StoreFact] {
        var place = settings.data
        while !FileManager.default.fileExists(atPath: place), place != "/", !place.isEmpty {
            place = URL(filePath: place).deletingLastPathComponent().path(percentEncoded: false)
        }
        guard let disk = DiskFacts(of: place.isEmpty ? "." : place) else {
            return [StoreFact("disk", "free", "cannot be read", .problem)]
        }
        var facts = [
            StoreFact(
                "disk", "free", Self.text(ofBytes: disk.freeBytes),
                disk.freeBytes < DiskFacts.freeMin ? .problem : disk.freeBytes < DiskFacts.freeLow ? .warning : .ok)
        ]
        if disk.isReadOnly { facts.append(StoreFact("disk", "mode", "read-only", .problem)) }
        return facts
    }

    // MARK: Time

    private func time() -> [StoreFact] {
        let now = clock.now()
        var facts = [StoreFact("clock", "now", now.description)]
        // Before the first release nobody can have measured anything.
        if now.microseconds < 1_750_000_000_000_000 {
            facts[0].state = .problem
            facts[0].value += ": the clock is not set"
        }
        if let zone = ProcessInfo.processInfo.environment["TZ"] { facts.append(StoreFact("clock", "TZ", zone)) }
        return facts
    }

    // MARK: The stores

    private func stores() async throws -> [StoreFact] {
        guard !settings.isEmbedded || FileManager.default.fileExists(atPath: settings.data + "/vigil.db") else {
            return []
        }
        do {
            let folder = try DataFolder(settings.data)
            return await closedStores(folder)
        } catch let held as FolderLock.Held {
            let holder = held.process.map { "process \($0)" } ?? "a process"
            return [StoreFact("server", "running", holder)] + (try await runningStores())
        }
    }

    /// Asks the server that holds the folder.
    private func runningStores() async throws -> [StoreFact] {
        let answer = try await LocalAPI(settings: settings, logger: logger).call("GET", "/api/local/inspection")
        guard answer.isSuccess else {
            return [StoreFact("server", "inspection", "the server answered \(answer.status)", .problem)]
        }
        struct List: Decodable { var items: [StoreFact] }
        let facts = try JSONDecoder().decode(List.self, from: Data(answer.body)).items
        guard settings.configuration.required("stores.relational") != "sqlite" else { return facts }
        return await schema(of: try RelationalChoice(settings)) + facts
    }

    /// Opens each store by itself, without moving its schema: what is wrong with one must not hide the others.
    private func closedStores(_ folder: DataFolder) async -> [StoreFact] {
        var facts: [StoreFact] = []
        do {
            let choice = try RelationalChoice(settings)
            facts += await schema(of: choice)
            let store = try await choice.openAsItIs()
            do {
                facts += try await (store as? any StoreInspecting)?.inspection() ?? []
            } catch {
                facts.append(StoreFact("relational", "inspection", "\(error)", .problem))
            }
            await store.close()
        } catch {
            facts.append(StoreFact("relational", "store", "\(error)", .problem))
        }
        guard FileManager.default.fileExists(atPath: folder.series) else { return facts }
        do {
            let engine = try await SeriesEngine.open(
                folder: folder.series, clock: clock, configuration: StoreFactory.seriesConfiguration(settings))
            facts += try await engine.inspection()
            await engine.close()
        } catch {
            facts.append(StoreFact("series", "folder", "\(error)", .problem))
        }
        return facts
    }

    private func schema(of choice: RelationalChoice) async -> [StoreFact] {
        await StoreInspection.schema { all in
            try await choice.withMigrator(makesBackup: false, clock: clock) { try await $0.status(all) }
        }
    }

    // MARK: Text

    private static func size(of path: String) -> Int? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        func length(_ path: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        }
        guard isFolder.boolValue else { return length(path) }
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.reduce(0) { $0 + length(path + "/" + $1) }
    }

    static func text(ofBytes bytes: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes >= size {
            return String(format: "%.1f \(unit)", Double(bytes) / Double(size))
        }
        return "\(bytes) bytes"
    }
}
