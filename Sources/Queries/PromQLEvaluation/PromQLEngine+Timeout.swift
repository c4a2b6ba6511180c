package import VigilModel

extension PromQLEngine {
    /// The same engine, whose queries take no longer than `duration`, nor than they might before.
    package func limited(to duration: Span) -> PromQLEngine {
        var limits = limits
        limits.duration = min(limits.duration, duration)
        return with(limits)
    }
}
