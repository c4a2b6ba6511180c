package import VigilModel

/// When a query is evaluated.
package enum QueryMoments: Sendable {
    case instant(Timestamp)
    /// At every step, both ends included.
    case range(from: Timestamp, to: Timestamp, step: Span)
}
