package import VigilModel

/// Where the time comes from.
///
/// Tests pass one that they move by hand, so no test sleeps.
package protocol TimeSource: Sendable {
    /// The current moment of the wall clock. It may jump back.
    func now() -> Timestamp

    /// Returns when `now()` has reached `deadline`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func wait(until deadline: Timestamp) async throws
}

extension TimeSource {
    /// Returns when `span` has passed.
    package func wait(for span: Span) async throws {
        try await wait(until: now() + span)
    }
}
