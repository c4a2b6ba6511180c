import Foundation
import VigilModel
import VigilPorts

/// A condition as its row holds it.
struct ConditionRecord: Sendable {
    let key: ConditionCell.Key
    let device: DeviceID?
    let state: ConditionState
    let changedAt: Timestamp
    let history: [ConditionStep]
}

extension ConditionRecord {
    init(row: SQLRow) throws {
        let steps: [StepForm] = try row.json("history") ?? []
        let history = steps.map(\.step)
        key = ConditionCell.Key(rule: try row.get("rule_key"), subject: try row.get("subject"))
        device = try row.optional("device_id")
        state = ConditionState(
            since: try row.optional("pending_since"), hasFired: try row.get("state", as: String.self) == "active",
            lastFired: try row.optional("last_fired"))
        changedAt = try row.get("changed_at")
        self.history = history
    }

    /// Subjects that one statement looks up.
    private static let subjectsPerStatement = 500

    /// All conditions of a rule, where they are no more than are asked for: reading them costs less than looking each up.
    private static func few(
        of rule: String, _ count: Int, tenant: TenantID, in transaction: any SQLTransaction
    ) throws -> [ConditionRecord]? {
        let found: Int =
            try transaction.rows(
                """
                SELECT COUNT(*) AS n FROM (
                    SELECT 1 AS one FROM rule_conditions WHERE tenant_id = \(tenant) AND rule_key = \(rule)
                    LIMIT \(count + 1)) AS few
                """
            ).first?.get("n") ?? 0
        guard found <= count else { return nil }
        return try transaction.rows(
            "SELECT * FROM rule_conditions WHERE tenant_id = \(tenant) AND rule_key = \(rule)"
        ).map(ConditionRecord.init(row:))
    }

    static func load(_ keys: [ConditionCell.Key], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [ConditionCell.Key: ConditionRecord]
    {
        var records: [ConditionCell.Key: ConditionRecord] = [:]
        var byRule: [String: [String]] = [:]
        for key in keys { byRule[key.rule, default: []].append(key.subject) }
        for (rule, subjects) in byRule {
            if subjects.count > subjectsPerStatement,
                let all = try few(of: rule, subjects.count, tenant: tenant, in: transaction)
            {
                // Conditions that nobody asked for are not in the way.
                for record in all { records[record.key] = record }
                continue
            }
            for start in stride(from: 0, to: subjects.count, by: subjectsPerStatement) {
                let part = subjects[start..<min(start + subjectsPerStatement, subjects.count)]
                let rows = try transaction.rows(
                    """
                    SELECT * FROM rule_conditions
                    WHERE tenant_id = \(tenant) AND rule_key = \(rule) AND subject IN \(part)
                    """)
                for row in rows {
                    let record = try ConditionRecord(row: row)
                    records[record.key] = record
                }
            }
        }
        return records
    }

    static func save(
        _ records: [ConditionRecord], tenant: TenantID, at now: Timestamp, in transaction: any SQLTransaction
    )
        throws
    {
        guard !records.isEmpty else { return }
        let rows: [[SQLValue]] = try records.map { record in
            let history = try JSONEncoder().encode(record.history.map(StepForm.init))
            return [
                tenant.sqlValue, record.key.rule.sqlValue, record.key.subject.sqlValue,
                record.device?.sqlValue ?? .null, record.state.name.sqlValue, record.state.since?.sqlValue ?? .null,
                record.state.lastFired?.sqlValue ?? .null, record.changedAt.sqlValue,
                .text(String(decoding: history, as: UTF8.self)), now.sqlValue,
            ]
        }
        _ = try transaction.insert(
            into: "rule_conditions",
            columns: [
                "tenant_id", "rule_key", "subject", "device_id", "state", "pending_since", "last_fired", "changed_at",
                "history", "updated_at",
            ],
            rows: rows,
            conflict: """
                ON CONFLICT (tenant_id, rule_key, subject) DO UPDATE SET state = excluded.state,
                    pending_since = excluded.pending_since, last_fired = excluded.last_fired,
                    changed_at = excluded.changed_at, history = excluded.history, updated_at = excluded.updated_at
                """)
    }

    /// A step in JSON, with short names, because a row may hold many.
    private struct StepForm: Codable {
        let t: Int64
        let s: Int64?
        let f: Bool?
        let l: Int64?

        init(_ step: ConditionStep) {
            t = step.time.microseconds
            s = step.state.since?.microseconds
            f = step.state.hasFired ? true : nil
            l = step.state.lastFired?.microseconds
        }

        var step: ConditionStep {
            ConditionStep(
                time: Timestamp(microseconds: t),
                state: ConditionState(
                    since: s.map(Timestamp.init(microseconds:)), hasFired: f ?? false,
                    lastFired: l.map(Timestamp.init(microseconds:))))
        }
    }
}
