import VigilModel
import VigilPorts

/// Slows down guessing: counts failed sign-ins per account and address, per address, and per account, in the database.
///
/// An attempt is counted as failed before its secret is looked at, and taken back when it was right: so many attempts at
/// once are no way around. Nobody can lock somebody else out of another address: the count of a whole account holds only
/// for addresses that have failed themselves, so an address that has not always has an attempt.
struct SignInGuard: Sendable {
    /// Stands for all accounts, or all addresses.
    static let any = "*"

    let settings: LockoutSettings

    private struct Count {
        var failures = 0
        var blockedUntil = Timestamp.distantPast
    }

    /// Counts an attempt.
    ///
    /// - Returns: How long the caller has to wait, and then nothing was counted; `nil` when the attempt may be made.
    func reserve(account: String, address: String, now: Timestamp, _ transaction: any SQLTransaction) throws -> Span? {
        let rows = try transaction.rows(
            """
            SELECT account_key, address, failures, blocked_until, last_failure_at FROM sign_in_failures
            WHERE account_key = \(account) AND address = \(address)
                OR account_key = \(account) AND address = \(Self.any)
                OR account_key = \(Self.any) AND address = \(address)
            """)
        func count(_ account: String, _ address: String, isShared: Bool = true) throws -> Count {
            let row = try rows.first {
                try $0.get("account_key", as: String.self) == account && $0.get("address", as: String.self) == address
            }
            guard let row else { return Count() }
            let silence = now - (try row.get("last_failure_at", as: Timestamp.self))
            guard silence < settings.memory else { return Count() }
            let forgotten = isShared ? Int(silence.microseconds / settings.sharedForgetting.microseconds) : 0
            return Count(
                failures: max(0, try row.get("failures", as: Int.self) - forgotten),
                blockedUntil: try row.get("blocked_until"))
        }
        let own = try count(account, address, isShared: false)
        let ofAddress = try count(Self.any, address)
        let ofAccount = try count(account, Self.any)
        var until = max(own.blockedUntil, ofAddress.blockedUntil)
        if own.failures > 0 { until = max(until, ofAccount.blockedUntil) }
        guard until <= now else { return until - now }
        try store(
            account, address, own.failures + 1, free: settings.freePerAccountAndAddress,
            longest: settings.longestDelay, now, transaction)
        try store(
            Self.any, address, ofAddress.failures + 1, free: settings.freePerAddress,
            longest: settings.longestSharedDelay, now, transaction)
        try store(
            account, Self.any, ofAccount.failures + 1, free: settings.freePerAccount,
            longest: settings.longestSharedDelay, now, transaction)
        return nil
    }

    /// Takes back what ``reserve(account:address:now:_:)`` counted, because the secret was right.
    func forgive(account: String, address: String, _ transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM sign_in_failures WHERE account_key = \(account) AND address = \(address)")
        for (account, address, free) in [
            (Self.any, address, settings.freePerAddress), (account, Self.any, settings.freePerAccount),
        ] {
            // A block stays when others earned it: signing in to an account of one's own is no way to go on guessing.
            try transaction.execute(
                """
                UPDATE sign_in_failures SET failures = failures - 1,
                    blocked_until = CASE WHEN failures <= \(free) THEN \(Timestamp.distantPast) ELSE blocked_until END
                WHERE account_key = \(account) AND address = \(address) AND failures > 0
                """)
        }
    }

    /// Removes counts that no longer count.
    func prune(now: Timestamp, _ transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM sign_in_failures WHERE last_failure_at < \(now - settings.memory)")
    }

    /// The delay after `failures`, of which `free` cost nothing: it doubles each time.
    func delay(failures: Int, free: Int, longest: Span) -> Span {
        guard failures >= free else { return Span(microseconds: 0) }
        let doublings = min(failures - free, 30)
        let (delay, overflow) = settings.firstDelay.microseconds.multipliedReportingOverflow(by: Int64(1) << doublings)
        return overflow ? longest : min(longest, Span(microseconds: delay))
    }

    private func store(
        _ account: String, _ address: String, _ failures: Int, free: Int, longest: Span, _ now: Timestamp,
        _ transaction: any SQLTransaction
    ) throws {
        let until = now + delay(failures: failures, free: free, longest: longest)
        try transaction.execute(
            """
            INSERT INTO sign_in_failures (account_key, address, failures, blocked_until, last_failure_at)
            VALUES (\(account), \(address), \(failures), \(until), \(now))
            ON CONFLICT (account_key, address) DO UPDATE SET failures = excluded.failures,
                blocked_until = excluded.blocked_until, last_failure_at = excluded.last_failure_at
            """)
    }
}

/// The part of an address that one party has to itself: an IPv4 address, or the first 64 bits of an IPv6 address.
enum AddressKey {
    static func of(_ address: String) -> String {
        guard address.contains(":") else { return String(address.prefix(64)) }
        if address.lowercased().hasPrefix("::ffff:"), address.contains(".") { return String(address.dropFirst(7)) }
        let halves = halves(of: address.prefix { $0 != "%" })
        var groups = halves.head
        if let tail = halves.tail {
            groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
        }
        let network = groups.prefix(4).map { group in
            let trimmed = group.drop { $0 == "0" }
            return trimmed.isEmpty ? "0" : String(trimmed).lowercased()
        }
        return network.joined(separator: ":") + "::/64"
    }

    /// The groups before and after `::`.
    private static func halves(of address: Substring) -> (head: [String], tail: [String]?) {
        guard let range = address.firstRange(of: "::") else {
            return (address.split(separator: ":").map(String.init), nil)
        }
        return (
            address[..<range.lowerBound].split(separator: ":").map(String.init),
            address[range.upperBound...].split(separator: ":").map(String.init)
        )
    }
}
