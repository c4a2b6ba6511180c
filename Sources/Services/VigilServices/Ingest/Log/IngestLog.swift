package import VigilModel
import VigilPorts

/// Reads the ingestion log: one entry per batch.
package struct IngestLog: Sendable {
    package struct Entry: Codable, Sendable {
        package var id: EntryID
        /// When the batch arrived.
        package var time: Timestamp
        /// line, json, steam or csv.
        package var source: String
        /// success, partial or error.
        package var status: String
        package var accepted: Int
        package var refused: Int
        package var firstTime: Timestamp?
        package var lastTime: Timestamp?
        /// Up to 20 refused readings: where and why.
        package var reasons: JSONValue
        package var sender: String
    }

    private let stores: Stores
    private let alerting: AlertingService

    /// - Parameter alerting: Writes the entries of the last moment before somebody reads.
    package init(stores: Stores, alerting: AlertingService) {
        self.stores = stores
        self.alerting = alerting
    }

    /// Batches, newest first.
    package func entries(status: String?, _ page: PageRequest, in scope: AccessScope) async throws -> Portion<Entry> {
        let tenant = try AlertingService.tenant(of: scope)
        // A batch holds readings of any device, so it is for those who see all of them.
        guard case .all = scope.visibility else {
            throw ServiceError(.forbidden, "auth.forbidden", "The ingestion log is for those who see all devices.")
        }
        let cursor = try page.cursor.map { (try $0.integer(at: 0), try $0.text(at: 1)) }
        await alerting.settle(tenant)
        let rows = try await stores.relational.read(.recent, in: scope) { transaction in
            var sql: SQL = "SELECT * FROM ingest_log WHERE tenant_id = \(tenant)"
            if let status { sql += " AND status = \(status)" }
            if let (time, id) = cursor { sql += " AND (time < \(time) OR (time = \(time) AND id < \(id)))" }
            return try transaction.rows(sql + " ORDER BY time DESC, id DESC LIMIT \(page.limit + 1)").map { row in
                Entry(
                    id: try row.get("id"), time: try row.get("time"), source: try row.get("source"),
                    status: try row.get("status"), accepted: try row.get("accepted"), refused: try row.get("refused"),
                    firstTime: try row.optional("first_time"), lastTime: try row.optional("last_time"),
                    reasons: try row.get("reasons"), sender: try row.get("sender"))
            }
        }
        return Portion(of: rows, limit: page.limit) {
            [.integer($0.time.microseconds), .string($0.id.description)]
        }
    }
}
