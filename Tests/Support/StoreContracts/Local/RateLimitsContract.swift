import VigilModel
package import VigilPorts

/// The contract of `RateLimits`.
package enum RateLimitsContract {
    package typealias Clause = StoreClause<TimedSubject<any RateLimits>>

    package static var clauses: [Clause] {
        [
            Clause("limits/admit", "As many calls as the limit are allowed, and the remainder is told") { subject in
                for left in [2, 1, 0] {
                    let decision = try await subject.store.admit("admit", limit: 3, per: .life)
                    try require(decision.isAllowed, "refused")
                    try require(decision.remaining, is: left)
                    try require(decision.retryAfter, is: Span(microseconds: 0))
                }
                let refused = try await subject.store.admit("admit", limit: 3, per: .life)
                try require(!refused.isAllowed, "allowed one too many")
                try require(refused.retryAfter > Span(microseconds: 0) && refused.retryAfter <= .life, "a wrong wait")
                try require(try await subject.store.admit("another", limit: 3, per: .life).isAllowed, "keys mix")
            },
            Clause("limits/sliding", "No window of the length has more calls than the limit, wherever it begins") {
                subject in
                _ = try await subject.store.admit("sliding", limit: 2, per: .life)
                try await subject.advance(Span.milliseconds(1500))
                _ = try await subject.store.admit("sliding", limit: 2, per: .life)
                try await subject.advance(Span.milliseconds(600))
                try require(
                    try await subject.store.admit("sliding", limit: 2, per: .life).isAllowed, "first did not leave")
                try require(!(try await subject.store.admit("sliding", limit: 2, per: .life).isAllowed), "not sliding")
            },
            Clause("limits/refused-not-counted", "A refused call is not counted, and the told wait is enough") {
                subject in
                _ = try await subject.store.admit("refused", limit: 1, per: .life)
                var wait = Span(microseconds: 0)
                for _ in 0..<5 { wait = try await subject.store.admit("refused", limit: 1, per: .life).retryAfter }
                try await subject.advance(wait)
                try require(try await subject.store.admit("refused", limit: 1, per: .life).isAllowed, "still refused")
            },
            Clause("limits/concurrent", "Calls at the same time are not allowed beyond the limit") { subject in
                let allowed = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<50 {
                        group.addTask { try await subject.store.admit("concurrent", limit: 7, per: .life).isAllowed }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                try require(allowed, is: 7)
            },
        ]
    }
}
