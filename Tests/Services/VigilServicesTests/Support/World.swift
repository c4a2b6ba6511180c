import Blobs
import Foundation
import LocalEngine
import SQLStores
import SeriesEngine
import TemporaryFolders
import VigilModel
import VigilPorts
import VigilServices

/// The services of readings and alerts over the embedded engines, with one tenant.
///
/// The tables are where `VIGIL_TEST_STORES` says: embedded, or on the server that `Scripts/engines` has started.
final class World: Sendable {
    let folder: String
    let clock: HandClock
    let stores: Stores
    let directory: DeviceDirectory
    let alerting: AlertingService
    let ingest: IngestService
    let query: QueryService
    let tenant: TenantID
    let principal: Principal

    static let start = Timestamp("2025-06-01T12:00:00Z") ?? .distantPast

    /// Opens the folder, with its schema and its tenant when it is new.
    init(folder: String, clock: HandClock = HandClock(World.start)) async throws {
        self.folder = folder
        self.clock = clock
        let relational = try await TestedStore.open(folder: folder, clock: clock)
        let series = try await SeriesEngine.open(folder: folder + "/series", clock: clock)
        stores = Stores(
            relational: relational, series: series, cache: LocalCache(clock: clock), locks: LocalLocks(clock: clock),
            limits: LocalRateLimits(clock: clock), bus: LocalBus(), jobs: SQLJobQueue(relational, clock: clock),
            blobs: try FolderBlobs(folder: folder + "/blobs"))
        directory = DeviceDirectory(stores: stores, clock: clock)
        alerting = AlertingService(stores: stores, clock: clock, directory: directory)
        ingest = IngestService(stores: stores, clock: clock, directory: directory, alerting: alerting)
        query = QueryService(stores: stores, clock: clock, directory: directory, alerting: alerting)
        let tenant = TenantID(high: 1, low: 1)
        self.tenant = tenant
        let now = clock.now()
        try await relational.write(in: SystemScope.tenant(tenant, "test")) { transaction in
            try transaction.execute(
                """
                INSERT INTO tenants (id, code, name, kind, is_active, details, version, created_at, updated_at)
                VALUES (\(tenant), 'test', 'Test', 'client', \(true), '{}', 1, \(now), \(now))
                ON CONFLICT (id) DO NOTHING
                """)
        }
        principal = Principal(
            subject: .local, tenant: tenant, permissions: [Permission("*", "*")],
            scope: SystemScope.tenant(tenant, "test"), name: "test")
    }

    func close() async {
        await alerting.settleAll()
        await stores.series.close()
        await stores.relational.close()
    }

    var scope: AccessScope { SystemScope.tenant(tenant, "test") }

    /// Adds a device.
    @discardableResult
    func device(
        _ code: String, handler: String = "custom", status: AdministrativeStatus = .active,
        in other: TenantID? = nil
    ) async throws -> DeviceID {
        let (id, tenant, now) = (DeviceID(at: clock.now()), other ?? tenant, clock.now())
        try await stores.relational.write(in: SystemScope.tenant(tenant, "test")) { transaction in
            try transaction.execute(
                """
                INSERT INTO devices (id, tenant_id, code, name, kind, handler, status, connection, metadata,
                    is_discovered, version, created_at, updated_at)
                VALUES (\(id), \(tenant), \(code), \(code), 'sensor', \(handler), \(status), '{}', '{}', \(false), 1,
                    \(now), \(now))
                """)
        }
        return id
    }

    @discardableResult
    func send(_ json: String, to device: String?) async throws -> IngestReceipt {
        try await ingest.receiveJSON(Array(json.utf8), device: device, by: principal)
    }

    /// Sends line protocol with times in seconds.
    @discardableResult
    func lines(_ text: String) async throws -> LineReceipt {
        try await ingest.receiveLines(Self.body(text), precision: "s", by: principal)
    }

    /// A body that comes in one piece.
    static func body(_ text: String) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield(Array(text.utf8))
            continuation.finish()
        }
    }

    /// The outbox, as soon as so many entries can be read: on a server the transactions of other worlds hold them back.
    func outbox(_ count: Int) async throws -> [OutboxEntry] {
        for _ in 0..<100_000 {
            let entries = try await stores.relational.outbox(after: .start, limit: max(count, 500))
            if entries.count >= count { return entries }
            await Task.yield()
        }
        throw StoreError(.timeout, "The outbox does not give what was written to it")
    }

    func alerts() async throws -> [AlertView] {
        try await alerting.alerts(AlertFilter(), cursor: nil, limit: 500, in: scope).items
            .sorted { $0.eventTime < $1.eventTime }
    }
}

/// Runs `body` in a world of its own.
///
/// A server bears a few worlds at once: the others wait until it is their turn.
func withWorld(_ body: (World) async throws -> Void) async throws {
    await TestedStore.turns.take()
    do {
        try await withFreeTurn(body)
    } catch {
        await TestedStore.turns.giveBack()
        throw error
    }
    await TestedStore.turns.giveBack()
}

private func withFreeTurn(_ body: (World) async throws -> Void) async throws {
    let folder = try TemporaryFolder("vigil-readings")
    let world = try await World(folder: folder.path)
    do {
        try await body(world)
    } catch {
        await world.close()
        try await TestedStore.remove(folder: folder.path)
        throw error
    }
    await world.close()
    try await TestedStore.remove(folder: folder.path)
}
