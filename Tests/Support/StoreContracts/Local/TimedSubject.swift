package import VigilModel

/// A store under test whose promises are about time.
package struct TimedSubject<Store: Sendable>: Sendable {
    package let store: Store
    /// Lets time pass: at once where the clock is ours, truly where it is an engine's.
    package let advance: @Sendable (Span) async throws -> Void

    package init(_ store: Store, advance: @escaping @Sendable (Span) async throws -> Void) {
        self.store = store
        self.advance = advance
    }
}

extension Span {
    /// Long enough for engines whose clock runs by itself.
    static let life = Span.seconds(Int64(2))
    static let beyond = Span.milliseconds(2100)
    static let half = Span.milliseconds(1000)
}
