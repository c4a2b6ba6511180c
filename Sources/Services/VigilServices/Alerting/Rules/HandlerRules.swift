import VigilModel

/// What handlers watch by themselves, as rules like any other: a change of state raises one alert, repeats raise none.
enum HandlerRules {
    static let all: [CompiledRule] = [
        rule(
            "door_contact.open", .door, metric: "state", states: ["open", "true"], .medium, .intrusion, "door_open",
            title: "{deviceName} opened", message: "The door contact {deviceName} reports open."),
        rule(
            "window_contact.open", .window, metric: "state", states: ["open", "true"], .medium, .intrusion,
            "window_open",
            title: "{deviceName} opened", message: "The window contact {deviceName} reports open."),
        rule(
            "motion.detected", .motion, metric: "motion", states: ["true"], .low, .intrusion, "motion",
            title: "Motion at {deviceName}", message: "{deviceName} reports motion."),
        rule(
            "camera.motion", .camera, metric: "motion_detected", states: ["true"], .low, .intrusion, "motion",
            title: "Motion detected at {deviceName}", message: "The camera {deviceName} reports motion."),
        rule(
            "glass_break.detected", .glassBreak, metric: "glass_break", states: ["true"], .high, .intrusion,
            "glass_break", title: "Glass break at {deviceName}", message: "{deviceName} reports breaking glass."),
        rule(
            "smoke.detected", .smoke, metric: "smoke", states: ["true"], .critical, .environmental, "smoke",
            title: "Smoke at {deviceName}", message: "{deviceName} reports smoke."),
        rule(
            "carbon_monoxide.detected", .carbonMonoxide, metric: "carbon_monoxide", states: ["true"], .critical,
            .environmental, "co", title: "Carbon monoxide at {deviceName}",
            message: "{deviceName} reports carbon monoxide."),
        rule(
            "water_leak.detected", .waterLeak, metric: "water_leak", states: ["true"], .high, .environmental,
            "water_leak", title: "Water at {deviceName}", message: "{deviceName} reports water."),
    ]

    private static func rule(
        _ name: String, _ handler: ReadingHandler, metric: String, states: [String], _ severity: Severity,
        _ type: AlertType, _ subtype: String, title: String, message: String
    ) -> CompiledRule {
        var definition = RuleDefinition(name: name, metric: metric, test: .state(states))
        definition.severity = severity
        definition.type = type
        definition.subtype = subtype
        definition.title = title
        definition.message = message
        return CompiledRule(
            key: "handler:\(name)", id: nil, version: 1, definition: definition, handler: handler.rawValue)
    }
}
