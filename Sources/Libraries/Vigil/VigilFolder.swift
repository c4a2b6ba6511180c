import Assembly
import HTTPTypes
import Logging
import Synchronization
@_exported public import VigilAPI
import VigilInterface

/// A data folder, opened in this process: everything that a server does, without the server.
///
/// ```swift
/// let vigil = try await VigilFolder.open("./data", tenant: "home")
/// try await vigil.write([Reading(device: "boiler", metric: "temperature", value: 71.5, unit: "degC")])
/// print(try await vigil.query("boiler_temperature").series)
/// try await vigil.close()
/// ```
///
/// One process holds a folder at a time. While a server has it, use `VigilClient` with the same calls.
public final class VigilFolder: VigilService {
    /// `nil` once closed: with the application goes the hold on the folder.
    private let opened: Mutex<EmbeddedApplication?>
    /// The code of the tenant in which all calls act, with all rights.
    public let tenant: String

    private init(_ application: EmbeddedApplication, tenant: String) {
        opened = Mutex(application)
        self.tenant = tenant
    }

    /// Opens a folder; makes it, its schema and the tenant when they are not there.
    ///
    /// Handlers, rules and alerts work from now on as they do in a server. Call ``close()`` at the end.
    /// - Parameters:
    ///   - path: The data folder.
    ///   - tenant: The code of the tenant to act in: 1 to 64 letters, digits, `-` or `_`.
    ///   - settings: Configuration keys with their values, as in the reference; environment and files are not read.
    /// - Throws: `VigilError` with the code `folder.held` while another process holds the folder,
    ///   `configuration.invalid` for a setting that is not allowed, and what the stores say.
    public static func open(_ path: String, tenant: String, settings: [String: String] = [:]) async throws
        -> VigilFolder
    {
        var logger = Logger(label: "vigil")
        logger.logLevel = .warning
        let application = try await EmbeddedApplication(path: path, settings: settings, logger: logger)
        do {
            try await application.prepareTenant(tenant)
        } catch {
            await application.close()
            throw error
        }
        return VigilFolder(application, tenant: tenant)
    }

    /// Answers a call in this process.
    public func send(_ call: Call) async throws -> Answer {
        guard let application = opened.withLock({ $0 }) else {
            throw VigilError(code: "folder.closed", message: "The folder is closed.")
        }
        var request = Request(
            method: HTTPRequest.Method(rawValue: call.method) ?? .get, path: call.path, query: call.query,
            headers: [.contentType: call.contentType], body: RequestBody(bytes: call.body))
        request.remoteAddress = "local"
        let response = try await application.respond(to: request, tenant: tenant)
        switch response.body {
        case .none: return Answer(status: response.status.code, bytes: [])
        case .bytes(let bytes): return Answer(status: response.status.code, bytes: bytes)
        case .stream(let pieces): return Answer(status: response.status.code, pieces: pieces)
        }
    }

    /// Ends the background work, makes what is in memory part of the files, and lets the folder go.
    ///
    /// Calls after it are refused. What was accepted before is on disk, whether this is called or not.
    public func close() async {
        let application = opened.withLock { opened in
            defer { opened = nil }
            return opened
        }
        await application?.close()
    }
}
