import VigilModel

/// One listener: a browser's socket, or a stream of server-sent events.
package struct LiveSession: Sendable {
    package typealias ID = UInt64

    /// What is sent to the listener.
    package enum Delivery: Sendable, Hashable {
        case message(sequence: Int64, json: [UInt8])
        case end(Ending)
    }

    /// Why a listener was let go.
    package enum Ending: String, Sendable, Hashable {
        /// Its session or token is no longer good.
        case revoked
        /// It took its messages too slowly.
        case slow
        /// The server stops.
        case shutdown
    }

    package let id: ID
    /// What to send, in order.
    ///
    /// It ends after an ending; without one the listener was too slow.
    package let deliveries: AsyncStream<Delivery>
}

/// A listener as the hub knows it.
struct LiveListener {
    var principal: Principal
    let continuation: AsyncStream<LiveSession.Delivery>.Continuation
    /// Called when the listener is too slow: it may be stuck in the middle of a write.
    let onSlow: @Sendable () -> Void
    var patterns: Set<String> = []
    /// What came while older messages are being read for it; `nil` while they are not.
    var held: [LiveSession.Delivery]?

    /// Whether the listener asked for `envelope` and may hear it.
    func wants(_ envelope: LiveEnvelope) -> Bool {
        patterns.contains(where: envelope.fits) && mayHear(envelope)
    }

    /// Whether a pattern may name readings.
    var hearsReadings: Bool {
        patterns.contains { pattern in
            let beginning = pattern.hasSuffix("*") ? String(pattern.dropLast()) : pattern
            return beginning.hasPrefix("readings.") || "readings.".hasPrefix(beginning)
        }
    }

    func mayHear(_ envelope: LiveEnvelope) -> Bool {
        guard let scope = principal.scope, principal.may(envelope.permission) else { return false }
        if case .all = scope.visibility { return true }
        if let device = envelope.device { return scope.shows(device) }
        guard envelope.aggregate == "location", let location = envelope.aggregateID.flatMap({ LocationID($0) }) else {
            return false
        }
        return scope.shows(location)
    }
}
