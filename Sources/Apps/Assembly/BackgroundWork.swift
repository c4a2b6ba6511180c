import Logging
import ServiceLifecycle
import VigilModel
import VigilPorts

/// A loop that runs beside the server and ends with it.
struct BackgroundWork: Service {
    let name: String
    let logger: Logger
    let clock: any TimeSource
    let work: @Sendable () async throws -> Void

    func run() async throws {
        while try await isToBeginAgain() {
            do {
                try await cancelWhenGracefulShutdown { try await clock.wait(for: .seconds(1)) }
            } catch {
                return
            }
        }
    }

    /// Works until the end, or until a store was away at a moment that the work has not provided for.
    private func isToBeginAgain() async throws -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await work() }
        } catch is CancellationError {
            return false
        } catch  where Task.isCancelled || Task.isShuttingDownGracefully {
            // What a store says of a call that was left is no news of the store.
            return false
        } catch let error as StoreError where error.isTransient {
            logger.warning("background work begins again", metadata: ["work": "\(name)", "error": "\(error)"])
            return true
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
        return false
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
