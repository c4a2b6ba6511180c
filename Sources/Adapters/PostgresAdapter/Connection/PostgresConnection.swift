import CLibPQ
import ConnectionKit
import Foundation
import Synchronization
import VigilModel
import VigilPorts

/// One connection to the server: an actor on a thread of its own, where libpq may block.
actor PostgresConnection: PooledConnection {
    private nonisolated let executor: ThreadExecutor
    private nonisolated let usable = Atomic<Bool>(true)
    private nonisolated let canceller = Canceller()
    private nonisolated let interruption = Interruption()
    private let configuration: PostgresConfiguration
    private var wire: Wire?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    nonisolated var isUsable: Bool { usable.load(ordering: .acquiring) }

    private init(_ configuration: PostgresConfiguration, executor: ThreadExecutor) {
        self.configuration = configuration
        self.executor = executor
    }

    deinit {
        executor.stop()
    }

    /// Connects to the first host of `url` that `session` fits.
    static func open(
        _ configuration: PostgresConfiguration, url: String, session: String
    ) async throws -> PostgresConnection {
        let connection = PostgresConnection(configuration, executor: ThreadExecutor(name: "postgresql"))
        do {
            try await connection.connect(url, session)
        } catch {
            connection.executor.stop()
            throw error
        }
        return connection
    }

    private func connect(_ url: String, _ session: String) throws {
        let wire = try Wire.connect(configuration, url: url, session: session)
        wire.interruption = interruption
        canceller.arm(wire.raw)
        self.wire = wire
    }

    var server: ServerIdentity { wire?.server ?? ServerIdentity() }

    /// Runs `body` with the connection's wire, on its thread.
    ///
    /// When the task is cancelled meanwhile, the server is told to stop, and the connection is not used again. A server
    /// that does not even answer to that is not waited for.
    func use<Result: Sendable>(_ body: @Sendable (Wire) throws -> Result) async throws -> Result {
        try await withTaskCancellationHandler {
            try useNow(body)
        } onCancel: {
            // The connection is dropped: the server's signal may arrive late and would hit the next transaction.
            usable.store(false, ordering: .releasing)
            interruption.begin()
            canceller.cancel()
        }
    }

    private func useNow<Result>(_ body: (Wire) throws -> Result) throws -> Result {
        guard let wire, wire.failure == nil else { throw PostgresFailure(kind: .lost) }
        if Task.isCancelled { throw PostgresFailure(kind: .cancelled) }
        defer { if wire.failure != nil { usable.store(false, ordering: .releasing) } }
        return try body(wire)
    }

    func close() {
        usable.store(false, ordering: .releasing)
        canceller.disarm()
        wire = nil
        executor.stop()
    }
}

/// Asks the server, from any thread, to stop what a connection is doing.
private final class Canceller: Sendable {
    /// What libpq needs to ask; `PQcancel` only reads it, and may be called from any thread by libpq's word.
    private final class Handle: @unchecked Sendable {
        // Unchecked: the pointer never changes, and is freed when nobody holds it any more.
        let raw: OpaquePointer

        init(_ raw: OpaquePointer) { self.raw = raw }
        deinit { PQfreeCancel(raw) }
    }

    private let handle = Mutex<Handle?>(nil)

    func arm(_ raw: OpaquePointer) {
        let new = PQgetCancel(raw).map { Handle($0) }
        handle.withLock { $0 = new }
    }

    /// Sends the request on a thread of its own: it opens a connection and waits, as long as the network likes.
    func cancel() {
        guard let handle = handle.withLock({ $0 }) else { return }
        Thread.detachNewThread {
            var message = [CChar](repeating: 0, count: 256)
            _ = PQcancel(handle.raw, &message, Int32(message.count))
        }
    }

    func disarm() {
        handle.withLock { $0 = nil }
    }
}
