import Logging
import ServiceLifecycle
import VigilPorts

/// A loop that runs beside the server and ends with it.
struct BackgroundWork: Service {
    let name: String
    let logger: Logger
    let work: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await work() }
        } catch is CancellationError {
            return
        } catch let error as StoreError where error.code == .damaged {
            // What is whole goes on being served; only this work rests.
            logger.critical(
                "background work rests: mend the store and start again",
                metadata: ["work": "\(name)", "error": "\(error)"])
            try? await gracefulShutdown()
        } catch {
            logger.critical("background work ended", metadata: ["work": "\(name)", "error": "\(error)"])
            throw error
        }
    }
}

/// Lets listeners go when the server stops, because their connections would keep it.
struct GracefulEnd: Service {
    let end: @Sendable () async -> Void

    func run() async throws {
        try? await gracefulShutdown()
        await end()
    }
}
