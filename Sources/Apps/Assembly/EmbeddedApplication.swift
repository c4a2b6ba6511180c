import HTTPTypes
package import Logging
import StorageKit
import VigilAPI
package import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

/// Everything behind a server, without the server: for programs that hold a data folder of their own.
package final class EmbeddedApplication: Sendable {
    private let core: Core
    private let folder: DataFolder
    private let table: EndpointTable
    private let work: Task<Void, Never>

    /// Opens the folder, brings its schema up to date, and starts the loops that a server would run.
    ///
    /// - Throws: ``VigilError`` with the code `folder.held` while another process holds the folder, and with
    ///   `configuration.invalid` for a setting that is not allowed.
    package init(path: String, settings values: [String: String], logger: Logger) async throws {
        let settings: Settings
        let folder: DataFolder
        do {
            let flags = values.merging(["data": path]) { $1 }
            settings = try Settings(try await LoadedConfiguration.load(flags: flags, environment: [:], file: nil))
            folder = try DataFolder(settings.data)
        } catch let error as FolderLock.Held {
            throw VigilError(code: "folder.held", message: "\(error).")
        } catch let error as ConfigurationFault {
            throw VigilError(code: "configuration.invalid", message: "\(error).")
        }
        let clock = SystemClock()
        let stores = try await StoreFactory.open(folder, settings, clock: clock)
        let core = Core(
            stores: stores, clock: clock, key: try await folder.masterKey(settings, stores), data: settings.data)
        self.core = core
        self.folder = folder
        table = EndpointTable(core.api())
        work = Task {
            await withTaskGroup(of: Void.self) { group in
                for loop in core.loops {
                    group.addTask {
                        do {
                            try await loop.run()
                        } catch is CancellationError {
                        } catch {
                            logger.critical(
                                "background work ended", metadata: ["work": "\(loop.name)", "error": "\(error)"])
                        }
                    }
                }
            }
        }
    }

    /// Makes the tenant when it is new.
    package func prepareTenant(_ code: String) async throws {
        try await core.identity.createLocalTenant(code)
    }

    /// Answers a request that acts in the tenant with all rights.
    package func respond(to request: Request, tenant: String) async throws -> Response {
        var request = request
        request.principal = try await core.identity.localPrincipal(tenant: tenant)
        do {
            return try await table.respond(to: request)
        } catch let error as ServiceError {
            return try Self.refusal(error)
        } catch let error as StoreError {
            guard let service = ServiceError(error) else { throw error }
            return try Self.refusal(service)
        }
    }

    private static func refusal(_ error: ServiceError) throws -> Response {
        let problem = Problem(error)
        return try .json(problem, status: .init(code: problem.status))
    }

    /// Ends the loops and closes the stores; what was acknowledged is in the files.
    package func close() async {
        await core.hub.stop()
        work.cancel()
        await work.value
        await core.close()
    }
}
