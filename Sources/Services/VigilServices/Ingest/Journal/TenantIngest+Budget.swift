import VigilModel
import VigilPorts

extension TenantIngest {
    /// Takes `count` readings of what the tenant may send.
    ///
    /// - Throws: `tooMany`, code `ingest.rate`, with the time to wait; then none is taken.
    func spend(_ count: Int) throws(ServiceError) {
        let now = clock.now()
        var budget = budget ?? ReadingBudget(perSecond: settings.tenantReadingsPerSecond, at: now)
        let wait = budget.spend(count, at: now)
        self.budget = budget
        if let wait {
            throw ServiceError(
                .tooMany, "ingest.rate", "This organisation sends more readings than it may.",
                retryAfter: max(.seconds(1), wait))
        }
    }
}
