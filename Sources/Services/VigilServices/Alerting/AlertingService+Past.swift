import VigilModel
import VigilPorts

extension AlertingService {
    /// Judges a range of the past in event time: alerts are raised where it truly happened, and closed where it ended.
    ///
    /// Doing so twice raises nothing new.
    /// - Returns: How many alerts were raised.
    func evaluatePast(
        _ identity: SeriesIdentity, device: DeviceEntry?, unit: String?, watchedAs watched: String? = nil,
        range: TimeRange, tenant: TenantID
    ) async throws -> Int {
        let subject = ConditionCell.subject(of: identity)
        let before = try await count(of: subject, in: range, tenant: tenant)
        var work = EvaluationWork()
        work.revisits = [
            EvaluationWork.Revisit(
                device: device, identity: identity, unit: unit, from: range.start,
                currentFrom: clock.now() - settings.lateness, evaluated: range, watchedAs: watched)
        ]
        try await evaluate(work, tenant: tenant) { _ in }
        return try await count(of: subject, in: range, tenant: tenant) - before
    }

    private func count(of subject: String, in range: TimeRange, tenant: TenantID) async throws -> Int {
        try await stores.relational.read(in: SystemScope.tenant(tenant, "rule evaluation")) { transaction in
            try transaction.rows(
                """
                SELECT COUNT(*) AS n FROM alerts WHERE tenant_id = \(tenant) AND subject = \(subject)
                    AND event_time >= \(range.start) AND event_time < \(range.end) AND retracted_at IS NULL
                """
            ).first?.get("n") ?? 0
        }
    }
}
