import VigilModel

/// What credentials may do, remembered for a few seconds, and when they were last used.
///
/// Bounded: when it is full, it is emptied. A lookup that began before something was forgotten is not remembered, so a
/// revocation can never be overtaken by an older answer.
actor PrincipalCache {
    struct Entry: Sendable {
        var principal: Principal
        /// Not later than the credential itself.
        var until: Timestamp
    }

    /// A use of a session or a token that is still to be written down.
    struct Use: Sendable, Hashable {
        enum Owner: Hashable, Sendable {
            case session(SessionID)
            case token(TokenID)
        }
        var owner: Owner
        var time: Timestamp
        var address: String
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var uses: [Use.Owner: Use] = [:]
    /// Grows whenever something is forgotten.
    private(set) var generation = 0

    init(limit: Int) {
        self.limit = limit
    }

    func entry(_ hash: String, at now: Timestamp) -> Entry? {
        guard let entry = entries[hash] else { return nil }
        if now < entry.until { return entry }
        entries[hash] = nil
        return nil
    }

    func remember(_ entry: Entry, as hash: String, since generation: Int) {
        guard generation == self.generation else { return }
        if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
        entries[hash] = entry
    }

    func forget(where isStale: @Sendable (Principal) -> Bool) {
        generation += 1
        entries = entries.filter { !isStale($0.value.principal) }
    }

    func lastUse(of owner: Use.Owner) -> Timestamp? { uses[owner]?.time }

    func note(_ use: Use) {
        if uses.count >= limit, uses[use.owner] == nil { return }
        uses[use.owner] = use
    }

    /// Hands over what is to be written down, and keeps nothing of it.
    func takeUses() -> [Use] {
        defer { uses.removeAll(keepingCapacity: true) }
        return Array(uses.values)
    }
}
