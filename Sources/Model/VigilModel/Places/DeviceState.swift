/// What the people responsible say of a device, apart from whether it is heard.
package enum AdministrativeStatus: String, Codable, Sendable, CaseIterable {
    case active
    /// Its readings are refused.
    case inactive
    /// Known to be broken: recorded, and an alert of type malfunction stands.
    case error
    /// Recorded without alerting.
    case maintenance
}

/// Whether a device is heard, by its expected interval.
package enum ConnectionState: String, Codable, Sendable, CaseIterable {
    case online
    case warning
    case offline
    /// Never heard.
    case unknown

    /// Judges by the time since the device was last heard: online below one interval, warning below six, else offline.
    ///
    /// With the default interval of five minutes these are the limits of 5 and 30 minutes of the reference systems.
    package init(lastSeen: Timestamp?, expectedInterval: Span, now: Timestamp) {
        guard let lastSeen else {
            self = .unknown
            return
        }
        let silence = (now - lastSeen).microseconds
        if silence < expectedInterval.microseconds {
            self = .online
        } else if silence < expectedInterval.microseconds * 6 {
            self = .warning
        } else {
            self = .offline
        }
    }
}
