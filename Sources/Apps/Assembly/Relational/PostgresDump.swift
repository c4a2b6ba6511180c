#if Postgres
import Foundation
import PostgresAdapter

/// A copy of a PostgreSQL database, made with its own tool before its schema is moved.
struct PostgresDump {
    /// Where copies go, and what makes them.
    struct Place {
        let folder: String
        /// The program that the configuration names; otherwise the newest that is found.
        var program: String?
    }

    /// Why there is no copy.
    struct Failed: Error, CustomStringConvertible {
        let reason: String

        var description: String {
            "no copy was made, so nothing was changed: \(reason) (--without-backup goes on without one)"
        }
    }

    private let configuration: PostgresConfiguration
    private let place: Place
    private let now: String

    init(_ configuration: PostgresConfiguration, _ place: Place, now: String) {
        self.configuration = configuration
        self.place = place
        self.now = now
    }

    /// Makes the copy.
    ///
    /// The file appears when it is whole.
    ///
    /// - Throws: ``Failed``, also when the only pg_dump there is is older than the server, which it would refuse.
    func run(server version: Int) throws {
        let program = try program(for: version)
        try FileManager.default.createDirectory(atPath: place.folder, withIntermediateDirectories: true)
        let path = "\(place.folder)/\(now.replacing(":", with: ""))-before-migration.dump"
        let part = path + ".part"
        do {
            try dump(with: program, to: part)
            try FileManager.default.moveItem(atPath: part, toPath: path)
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            throw error
        }
    }

    private func dump(with program: String, to part: String) throws {
        let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: part, contents: nil, attributes: mode),
            let output = FileHandle(forWritingAtPath: part)
        else { throw Failed(reason: "\(part) cannot be written") }
        defer { try? output.close() }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [
            "--format=custom", "--enable-row-security", "--no-password",
            "--dbname", Self.withoutPassword(configuration.url).url,
        ]
        var environment = ProcessInfo.processInfo.environment
        // A password among the arguments would show in the list of processes.
        if let password = configuration.password ?? Self.withoutPassword(configuration.url).password {
            environment["PGPASSWORD"] = password
        }
        process.environment = environment
        process.standardOutput = output
        let complaints = Pipe()
        process.standardError = complaints
        try process.run()
        let said = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
            let first = lines.first.map { $0.hasPrefix("pg_dump: ") ? $0.dropFirst(9) : $0[...] } ?? "it gave no reason"
            throw Failed(reason: "\(program): \(first)")
        }
        try output.synchronize()
    }

    // MARK: The program

    /// The named program, or the newest that is not older than the server.
    private func program(for version: Int) throws -> String {
        if let named = place.program {
            guard FileManager.default.isExecutableFile(atPath: named) else {
                throw Failed(reason: "postgres.pg_dump names \(named), which cannot be run")
            }
            return named
        }
        let found = Self.candidates().compactMap { path in Self.version(of: path).map { (path: path, version: $0) } }
        guard let newest = found.max(by: { $0.version < $1.version }) else {
            throw Failed(
                reason:
                    "there is no pg_dump here: install the client of PostgreSQL \(version), or name it in postgres.pg_dump"
            )
        }
        guard newest.version >= version else {
            throw Failed(
                reason: """
                    the newest pg_dump here, \(newest.path), is of PostgreSQL \(newest.version) and the server is \
                    \(version): install the client of PostgreSQL \(version), or name it in postgres.pg_dump
                    """)
        }
        return newest.path
    }

    /// What the path holds, and where packages of several versions lie beside one another.
    private static func candidates() -> [String] {
        var folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for (parent, tail) in [("/usr/lib/postgresql", "/bin"), ("/usr", "/bin"), ("/opt/homebrew/opt", "/bin")] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
            let fitting = names.filter {
                parent == "/usr/lib/postgresql" || $0.hasPrefix("pgsql-") || $0.hasPrefix("postgresql@")
            }
            folders += fitting.sorted().map { "\(parent)/\($0)\(tail)" }
        }
        return folders.map { $0 + "/pg_dump" }.filter { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// 17 of `pg_dump (PostgreSQL) 17.5 (Debian …)`.
    private static func version(of path: String) -> Int? {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["--version"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let word = text.split(separator: " ").first(where: { $0.first?.isNumber == true }) else { return nil }
        return Int(word.prefix { $0.isNumber })
    }

    /// A connection string in two: `postgresql://user:password@host/…` without its password, and that.
    static func withoutPassword(_ url: String) -> (url: String, password: String?) {
        guard let scheme = url.range(of: "://"), let at = url[scheme.upperBound...].firstIndex(of: "@"),
            let colon = url[scheme.upperBound..<at].firstIndex(of: ":")
        else { return (url, nil) }
        let password = String(url[url.index(after: colon)..<at])
        return (String(url[..<colon]) + url[at...], password.removingPercentEncoding ?? password)
    }
}
#endif
