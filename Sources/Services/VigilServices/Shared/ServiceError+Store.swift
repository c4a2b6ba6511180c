import VigilModel
package import VigilPorts

extension ServiceError {
    /// What a caller is told when a store fails.
    ///
    /// A unique key that is taken, a reference that does not hold and a stale version are the caller's to mend; an engine
    /// that is away, full or slow may be asked again; everything else is ours, and is `nil`: the server answers 500 and
    /// logs it.
    package init?(_ error: StoreError) {
        switch error.code {
        case .duplicate: self.init(.conflict, "store.duplicate", "There is one with this key already.")
        case .reference: self.init(.conflict, "store.reference", "Something refers to it, or it refers to nothing.")
        case .stale: self.init(.stale, "store.stale", "It was changed by somebody else. Read it again.")
        case .limit: self.init(.invalid, "store.limit", "The answer would be larger than the limit.")
        case .invalid: self.init(.invalid, "store.invalid", error.message)
        case .unavailable, .timeout, .contention, .locked:
            self.init(.unavailable, "store.unavailable", "A store is busy or away.", retryAfter: .seconds(2))
        case .full:
            self.init(
                .unavailable, "store.full", "The disk is full: nothing is written until there is room.",
                retryAfter: .seconds(30))
        case .readOnly:
            self.init(
                .unavailable, "store.read_only",
                "The store takes no writes: its disk is read-only, or it is damaged. See vigil doctor.",
                retryAfter: .seconds(30))
        case .uncertain:
            self.init(
                .unavailable, "store.uncertain",
                """
                It is not known whether this was done: the answer of a store was lost. Look before sending it again, or \
                send it again with the Idempotency-Key it had.
                """, retryAfter: .seconds(2))
        case .constraint, .damaged, .newerSchema, .internalFault: return nil
        }
    }
}

extension StoreError {
    /// Whether work that changes nothing when it is done twice may simply be done again: what is transient, and a commit
    /// of which nobody knows whether it happened.
    var mayBeTriedAgain: Bool { isTransient || code == .uncertain }
}
