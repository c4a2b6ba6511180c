package import VigilModel

/// An alert as the interface answers it.
package struct AlertView: Codable, Sendable {
    package var id: AlertID
    package var rule: RuleID?
    package var ruleName: String?
    package var source: String
    package var device: DeviceID?
    package var deviceName: String?
    package var site: SiteID?
    package var location: LocationID?
    package var type: AlertType
    package var subtype: String?
    package var severity: Severity
    package var title: String
    package var message: String
    package var metric: String?
    package var value: JSONValue?
    package var unit: String?
    /// The first breaching sample.
    package var startedAt: String
    /// When it truly happened: the condition had held for long enough.
    package var eventTime: String
    package var knownAt: String
    package var lastTime: String
    package var occurrences: Int
    /// active or normal.
    package var condition: String
    package var recoveredAt: String?
    package var suppression: AlertRecord.Suppression
    package var latched: Bool
    package var acknowledged: Bool
    package var acknowledgedAt: String?
    package var acknowledgedBy: String?
    package var closure: AlertClosure
    package var closedAt: String?
    package var closedBy: String?
    package var note: String?
    package var retractedAt: String?
    /// open, acknowledged, resolved, dismissed.
    package var status: String
    /// The name that ISA-18.2 gives to its state.
    package var state: String
    package var metadata: JSONValue
    package var version: Int

    init(_ alert: AlertRecord, deviceName: String? = nil, ruleName: String? = nil) {
        id = alert.id
        rule = alert.rule
        self.ruleName = ruleName
        source = alert.source
        device = alert.device
        self.deviceName = deviceName
        (site, location) = (alert.site, alert.location)
        (type, subtype, severity) = (alert.type, alert.subtype, alert.severity)
        (title, message, metric) = (alert.title, alert.message, alert.metric)
        value = alert.value?.json
        unit = alert.unit
        startedAt = alert.startedAt.description
        eventTime = alert.eventTime.description
        knownAt = alert.knownAt.description
        lastTime = alert.lastTime.description
        occurrences = alert.occurrences
        condition = alert.isActive ? "active" : "normal"
        recoveredAt = alert.recoveredAt?.description
        suppression = alert.suppression
        latched = alert.isLatched
        acknowledged = alert.isAcknowledged
        acknowledgedAt = alert.acknowledgedAt?.description
        acknowledgedBy = alert.acknowledgedName
        closure = alert.closure
        closedAt = alert.closedAt?.description
        closedBy = alert.closedName
        note = alert.note
        retractedAt = alert.retractedAt?.description
        status = alert.closure != .open ? alert.closure.rawValue : alert.isAcknowledged ? "acknowledged" : "open"
        state = alert.stateName
        metadata = alert.metadata
        version = alert.version
    }
}

/// One line of an alert's journal.
package struct AlertJournalView: Codable, Sendable {
    package var id: EntryID
    package var time: String
    package var action: String
    package var user: UserID?
    package var name: String
    package var note: String?
}

/// Which alerts a list holds.
package struct AlertFilter: Sendable {
    package var severities: [Severity] = []
    package var acknowledged: Bool?
    package var closures: [AlertClosure] = []
    package var types: [AlertType] = []
    package var device: String?
    package var site: SiteID?
    package var rule: RuleID?
    package var from: Timestamp?
    package var to: Timestamp?

    package init() {}
}

/// Counts of alerts.
package struct AlertStatistics: Codable, Sendable {
    package struct Day: Codable, Sendable {
        /// `YYYY-MM-DD`, UTC.
        package var day: String
        package var count: Int
    }

    package var days: Int
    package var total: Int
    package var unacknowledged: Int
    package var acknowledged: Int
    package var bySeverity: [String: Int]
    package var byType: [String: Int]
    package var byStatus: [String: Int]
    package var byDay: [Day]
}
