import Synchronization

/// Whether anybody listens to live messages in this process.
///
/// Ingest makes messages for every device several times a second, and asks here first: without a listener none is made.
package final class LiveAudience: Sendable {
    private let isThere = Atomic(false)

    package init() {}

    var isListening: Bool { isThere.load(ordering: .relaxed) }

    func set(_ isListening: Bool) { isThere.store(isListening, ordering: .relaxed) }
}
