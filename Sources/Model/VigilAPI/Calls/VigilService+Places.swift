extension VigilService {
    /// Devices, newest first.
    ///
    /// - Parameters:
    ///   - text: A part of the name, the code or an external identifier.
    ///   - cursor: The `next` of the page before.
    ///   - limit: At most 500.
    public func devices(matching text: String? = nil, cursor: String? = nil, limit: Int = 50) async throws -> Page<
        Device
    > {
        var query: [(name: String, value: String)] = [("limit", String(limit))]
        if let text { query.append(("search", text)) }
        if let cursor { query.append(("cursor", cursor)) }
        return try await fetch(Call("GET", "/api/devices", query: query), as: Page<Device>.self)
    }

    /// A device by its code or identifier.
    public func device(_ reference: String) async throws -> Device {
        try await fetch(Call("GET", "/api/devices/\(PathText.encoded(reference))"), as: Device.self)
    }

    /// Makes a device.
    @discardableResult
    public func add(_ device: NewDevice) async throws -> Device {
        try await fetch(Call("POST", "/api/devices", body: try Self.json(device)), as: Device.self)
    }

    /// Makes a rule.
    @discardableResult
    public func add(_ rule: NewRule) async throws -> Rule {
        try await fetch(Call("POST", "/api/rules", body: try Self.json(rule)), as: Rule.self)
    }

    /// Alerts, newest first.
    ///
    /// - Parameters:
    ///   - closures: open, resolved, dismissed; all when empty.
    ///   - cursor: The `next` of the page before.
    ///   - limit: At most 500.
    public func alerts(closures: [String] = [], cursor: String? = nil, limit: Int = 50) async throws -> Page<Alert> {
        var query: [(name: String, value: String)] = [("limit", String(limit))]
        query += closures.map { ("closure", $0) }
        if let cursor { query.append(("cursor", cursor)) }
        return try await fetch(Call("GET", "/api/alerts", query: query), as: Page<Alert>.self)
    }

    /// Acknowledges an alert; doing so twice changes nothing.
    @discardableResult
    public func acknowledge(alert: String, note: String? = nil) async throws -> Alert {
        try await act("acknowledge", alert, note)
    }

    /// Closes an alert because what it told of is over.
    @discardableResult
    public func resolve(alert: String, note: String? = nil) async throws -> Alert {
        try await act("resolve", alert, note)
    }

    /// Closes an alert because it was wrong.
    @discardableResult
    public func dismiss(alert: String, note: String? = nil) async throws -> Alert {
        try await act("dismiss", alert, note)
    }

    private func act(_ action: String, _ alert: String, _ note: String?) async throws -> Alert {
        return try await fetch(
            Call("POST", "/api/alerts/\(PathText.encoded(alert))/\(action)", body: try Self.json(Note(note: note))),
            as: Alert.self)
    }
}

/// What a person says with an action.
private struct Note: Encodable {
    var note: String?
}
