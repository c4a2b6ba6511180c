/// Says that something was committed, to the one who waits for it.
///
/// Signals that come while nobody listens are one signal: whoever wakes looks for all there is.
package struct CommitSignal: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func raise() { continuation.yield() }
    package func finish() { continuation.finish() }
}
