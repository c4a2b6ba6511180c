import Foundation
import PostgresAdapter
import PostgresServers
import VigilPorts

/// A primary and a standby of their own, which a test may stop and kill.
struct ReplicaPair: Sendable {
    let primary: PostgresServer
    let primaryPID: Int32
    let standby: PostgresServer
    let standbyPID: Int32

    static let areAvailable = ProcessInfo.processInfo.environment["VIGIL_ENGINES_RUN"] != nil

    /// Starts a pair on two ports.
    ///
    /// Returns when the standby streams and commits wait for it.
    static func start(version: Int, ports: (Int, Int)) throws -> ReplicaPair {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Scripts/engines").standardized
        let process = Process()
        process.executableURL = script
        process.arguments = ["replicas", String(version), String(ports.0), String(ports.1)]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // Up to the variables only: the servers keep the pipe open as long as they live.
        var text = ""
        while !text.contains("STANDBY_PID=") || !text.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        guard let primary = values["PRIMARY"], let standby = values["STANDBY"],
            let primaryPID = values["PRIMARY_PID"].flatMap(Int32.init),
            let standbyPID = values["STANDBY_PID"].flatMap(Int32.init)
        else { throw StoreError(.unavailable, "No pair of servers could be started") }
        return ReplicaPair(
            primary: PostgresServer(version: version, url: primary), primaryPID: primaryPID,
            standby: PostgresServer(version: version, url: standby), standbyPID: standbyPID)
    }

    /// Both hosts in one string: whichever takes writes is used.
    func configuration(_ database: PostgresDatabase) -> PostgresConfiguration {
        var configuration = database.configuration
        let (host, other) = (address(primary.url), address(standby.url))
        configuration.url = "postgresql://\(host),\(other)/\(database.name)"
        configuration.replicaURL = "postgresql://\(other)/\(database.name)"
        return configuration
    }

    private func address(_ url: String) -> String {
        String(url.split(separator: "@").last?.split(separator: "/").first ?? "")
    }

    func end() {
        for pid in [primaryPID, standbyPID] {
            kill(pid, SIGCONT)
            kill(pid, SIGQUIT)
        }
    }
}
