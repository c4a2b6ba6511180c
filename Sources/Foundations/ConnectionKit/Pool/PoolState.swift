/// What a pool knows, changed only under its lock; everything that takes time happens outside.
struct PoolState<Connection: PooledConnection>: Sendable {
    typealias Instant = ContinuousClock.Instant
    typealias Waiter = CheckedContinuation<Turn, any Error>

    /// What somebody in the line gets.
    enum Turn: Sendable {
        case connection(Connection)
        /// A place that became free: open a connection in it.
        case open
    }
    enum Taken {
        case connection(Connection)
        case open
        case wait(UInt64)
        case refused(PoolFailure)
    }
    enum Returned {
        case kept
        case handed(Waiter)
        case dropped(next: Waiter?)
    }
    enum Entry {
        case waiting(first: Bool)
        case turn(Turn)
        case cancelled
        case refused(PoolFailure)
    }

    private struct Resting {
        let connection: Connection
        let since: Instant
    }
    private struct Place {
        let ticket: UInt64
        let waiter: Waiter
        let deadline: Instant
        let since: Instant
    }

    private var idle: [Resting] = []
    private var born: [ObjectIdentifier: Instant] = [:]
    /// Connections that rested too long, which somebody outside the lock has to close.
    private var discarded: [Connection] = []
    private var opening = 0
    private var line: [Place] = []
    private var head = 0
    /// Tickets whose task was cancelled before it stood in the line.
    private var abandoned: Set<UInt64> = []
    private var tickets: UInt64 = 0
    private var watching = false
    private var isClosed = false
    private var emptied: [CheckedContinuation<Void, Never>] = []
    private var breaker: CircuitBreaker<Instant>
    private var counts = PoolStatistics()
    /// Why the last opening failed; `nil` once one succeeded.
    private(set) var lastFailure: (any Error)?

    init(breaker: CircuitBreaker<Instant>) {
        self.breaker = breaker
    }

    private var total: Int { born.count + opening }
    private var waitingCount: Int { line.count - head }

    // MARK: Taking

    mutating func take(settings: PoolSettings, now: Instant) -> Taken {
        if isClosed { return .refused(.closed) }
        if waitingCount == 0 {
            while let resting = idle.popLast() {
                if resting.connection.isUsable, now - resting.since < settings.idleLifetime {
                    return .connection(resting.connection)
                }
                if !resting.connection.isUsable { counts.lost += 1 }
                forget(resting.connection)
                discarded.append(resting.connection)
            }
            if total < settings.maximum {
                guard breaker.permits(at: now) else { return .refused(.resting) }
                opening += 1
                return .open
            }
        }
        guard waitingCount < settings.maximumWaiting else { return .refused(.tooManyWaiting) }
        tickets += 1
        return .wait(tickets)
    }

    mutating func takeDiscarded() -> [Connection] {
        defer { discarded = [] }
        return discarded
    }

    /// Puts somebody into the line, unless his turn has come since he took his ticket.
    mutating func stand(
        _ ticket: UInt64, _ waiter: Waiter, deadline: Instant, settings: PoolSettings, now: Instant
    ) -> Entry {
        if abandoned.remove(ticket) != nil { return .cancelled }
        switch take(settings: settings, now: now) {
        case .connection(let connection): return .turn(.connection(connection))
        case .open: return .turn(.open)
        case .refused(let failure): return .refused(failure)
        case .wait:
            counts.waited += 1
            line.append(Place(ticket: ticket, waiter: waiter, deadline: deadline, since: now))
            defer { watching = true }
            return .waiting(first: !watching)
        }
    }

    /// Leaves the line because the task was cancelled.
    mutating func leave(_ ticket: UInt64) -> Waiter? {
        guard let index = line[head...].firstIndex(where: { $0.ticket == ticket }) else {
            abandoned.insert(ticket)
            return nil
        }
        return line.remove(at: index).waiter
    }

    /// Forgets a ticket whose owner has been served or sent away.
    mutating func finish(_ ticket: UInt64) {
        abandoned.remove(ticket)
    }

    // MARK: Giving back

    mutating func giveBack(_ connection: Connection, usable: Bool, settings: PoolSettings, now: Instant) -> Returned {
        let age = born[ObjectIdentifier(connection)].map { now - $0 } ?? .zero
        guard usable, !isClosed, age < settings.maximumLifetime else {
            if !usable { counts.lost += 1 }
            forget(connection)
            guard let waiter = nextWaiter(now) else { return .dropped(next: nil) }
            opening += 1
            return .dropped(next: waiter)
        }
        if let waiter = nextWaiter(now) { return .handed(waiter) }
        idle.append(Resting(connection: connection, since: now))
        return .kept
    }

    mutating func opened(_ connection: Connection, now: Instant) -> Bool {
        opening -= 1
        breaker.succeeded()
        lastFailure = nil
        counts.opened += 1
        if counts.reconnects < counts.lost { counts.reconnects += 1 }
        if isClosed {
            signalWhenEmpty()
            return false
        }
        born[ObjectIdentifier(connection)] = now
        return true
    }

    /// The place is free again: the next in the line tries in its turn, unless the server is now left alone.
    mutating func openFailed(_ error: any Error, now: Instant) -> (next: Waiter?, refused: [Waiter]) {
        opening -= 1
        counts.failures += 1
        if error is CancellationError {
            breaker.abandoned()
        } else {
            breaker.failed(at: now)
            lastFailure = error
        }
        signalWhenEmpty()
        if breaker.state == .open, born.isEmpty, opening == 0 {
            defer { line.removeAll(); head = 0 }
            return (nil, line[head...].map(\.waiter))
        }
        guard let waiter = nextWaiter(now) else { return (nil, []) }
        opening += 1
        return (waiter, [])
    }

    private mutating func nextWaiter(_ now: Instant) -> Waiter? {
        guard head < line.count else { return nil }
        counts.waitTime += now - line[head].since
        defer { head += 1; compact() }
        return line[head].waiter
    }

    private mutating func compact() {
        guard head == line.count || (head > 64 && head * 2 > line.count) else { return }
        line.removeFirst(head)
        head = 0
    }

    // MARK: Time

    mutating func nextDeadline() -> Instant? {
        guard head < line.count else {
            watching = false
            return nil
        }
        return line[head].deadline
    }

    mutating func removeLate(now: Instant) -> [Waiter] {
        var late: [Waiter] = []
        while head < line.count, line[head].deadline <= now {
            late.append(line[head].waiter)
            counts.waitTime += now - line[head].since
            head += 1
        }
        counts.timeouts += late.count
        compact()
        return late
    }

    // MARK: Ending

    mutating func removeIdle() -> [Connection] {
        let connections = idle.map(\.connection)
        for connection in connections { forget(connection) }
        idle.removeAll()
        return connections
    }

    mutating func close() -> (idle: [Connection], waiters: [Waiter]) {
        isClosed = true
        let waiters = line[head...].map(\.waiter)
        line.removeAll()
        head = 0
        return (removeIdle(), waiters)
    }

    /// Says whether nothing is open; otherwise `continuation` is resumed when that is so.
    mutating func whenEmpty(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        if total == 0 { return true }
        emptied.append(continuation)
        return false
    }

    private mutating func forget(_ connection: Connection) {
        born[ObjectIdentifier(connection)] = nil
        signalWhenEmpty()
    }

    private mutating func signalWhenEmpty() {
        guard isClosed, total == 0 else { return }
        for continuation in emptied { continuation.resume() }
        emptied.removeAll()
    }

    func statistics(_ settings: PoolSettings) -> PoolStatistics {
        var result = counts
        result.maximum = settings.maximum
        result.open = total
        result.idle = idle.count
        result.waiting = waitingCount
        result.breaker = breaker.state.rawValue
        return result
    }
}
