import ConnectionKit
import Synchronization
import VigilPorts

/// Tells the other processes of a database that something came into the outbox, and hears it from them.
///
/// A notice is sent after the commit and by itself: NOTIFY inside a transaction makes all that do so commit one after
/// the other. Whoever misses one, because a connection was away, still looks now and then.
final class OutboxNotices: Sendable {
    static let channel = "vigil_outbox"
    /// Many commits share a notice: there is at most one in this time.
    private static let pace = Duration.milliseconds(2)

    /// After so many seconds without a notice the server is asked whether it is there: a connection that died half-open
    /// would be listened to for ever.
    private static let suspiciousSilence = 10
    private static let probeLimit = Duration.seconds(5)

    private struct State {
        var isWaiting = false
        var isSending = false
        /// How often entries were found held back, one look after the other.
        var looks = 0
        var isToLookAgain = false
        var listener: Task<Void, Never>?
        var isClosed = false
    }

    private let configuration: PostgresConfiguration
    private let pool: ConnectionPool<PostgresConnection>
    private let arrivals: ArrivalSignals
    /// Tells our notices from those of others.
    private let name: String
    private let state = Mutex(State())

    init(
        _ configuration: PostgresConfiguration, pool: ConnectionPool<PostgresConnection>, arrivals: ArrivalSignals
    ) {
        self.configuration = configuration
        self.pool = pool
        self.arrivals = arrivals
        var generator = SystemRandomNumberGenerator()
        name = String(generator.next() as UInt64, radix: 36)
    }

    // MARK: Telling

    /// Sends a notice soon.
    func tell() {
        let mustStart = state.withLock { state in
            state.isWaiting = true
            if state.isSending || state.isClosed { return false }
            state.isSending = true
            return true
        }
        if mustStart { Task { await self.send() } }
    }

    private func send() async {
        let request = WireRequest(
            "SELECT pg_notify($1::text, $2::text)", [.text(Self.channel), .text(name)])
        while takeWaiting() {
            // One that is lost is made up for by those who look now and then.
            try? await pool.withConnection { connection in
                try await connection.use { wire in _ = try wire.run([request]) }
            }
            try? await SystemPoolClock().wait(until: .now + Self.pace)
        }
    }

    private func takeWaiting() -> Bool {
        state.withLock { state in
            let goesOn = state.isWaiting && !state.isClosed
            state.isWaiting = false
            state.isSending = goesOn
            return goesOn
        }
    }

    // MARK: Looking again

    private static let lookBackoff = Backoff(base: .milliseconds(20), limit: .seconds(1), jitter: 0.2)

    /// Wakes those who read the outbox a moment later, when the last look found entries that are held back.
    ///
    /// Nobody sends a notice when the transaction that holds them back ends.
    func lookAgain(_ isHeldBack: Bool) {
        let looks: Int? = state.withLock { state in
            guard isHeldBack else {
                state.looks = 0
                return nil
            }
            guard !state.isToLookAgain, !state.isClosed else { return nil }
            state.looks += 1
            state.isToLookAgain = true
            return state.looks
        }
        guard let looks else { return }
        Task { [weak self] in
            try? await SystemPoolClock().wait(until: .now + Self.lookBackoff.delay(after: looks))
            self?.state.withLock { $0.isToLookAgain = false }
            self?.arrivals.signal()
        }
    }

    // MARK: Hearing

    /// Begins to hear the others, once somebody wants to know.
    func listen() {
        state.withLock { state in
            guard state.listener == nil, !state.isClosed else { return }
            state.listener = Task { [weak self] in await self?.hear() }
        }
    }

    /// Holds a connection of its own, and makes it again whenever it is lost.
    private func hear() async {
        let backoff = Backoff(base: .milliseconds(100), limit: .seconds(5), jitter: 0.5)
        var losses = 0
        while !Task.isCancelled {
            if let connection = try? await PostgresConnection.open(
                configuration, url: configuration.url, session: "read-write")
            {
                losses = 0
                try? await follow(connection)
                await connection.close()
            }
            losses += 1
            try? await SystemPoolClock().wait(until: .now + backoff.delay(after: losses))
        }
    }

    private func follow(_ connection: PostgresConnection) async throws {
        try await connection.use { wire in
            _ = try wire.run([WireRequest("LISTEN \(Self.channel)", isPrepared: false)])
        }
        // Something may have come while nobody listened.
        arrivals.signal()
        var quiet = 0
        while !Task.isCancelled {
            let heard = try await connection.use { wire in try wire.notices(within: .seconds(1)) }
            if heard.contains(where: { $0 != name }) { arrivals.signal() }
            quiet = heard.isEmpty ? quiet + 1 : 0
            if quiet >= Self.suspiciousSilence {
                quiet = 0
                try await connection.use { wire in
                    wire.silenceLimit = Self.probeLimit
                    _ = try wire.run([WireRequest("SELECT 1")])
                }
            }
        }
    }

    func close() {
        let listener = state.withLock { state in
            state.isClosed = true
            return state.listener
        }
        listener?.cancel()
    }
}
