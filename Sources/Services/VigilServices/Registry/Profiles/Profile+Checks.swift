import VigilModel

extension Profile {
    /// A profile of a checked draft; its code is the draft's, or empty.
    init(_ draft: ProfileDraft, id: ProfileID, time: Timestamp, limits: RegistryLimits) throws(ServiceError) {
        self.init(
            id: id, code: draft.code ?? "", name: try TextRules.name(draft.name), description: draft.description,
            kind: draft.kind ?? "sensor", handler: draft.handler ?? DeviceEntry.defaultHandler,
            expectedIntervalSeconds: draft.expectedIntervalSeconds ?? DeviceEntry.defaultExpectedInterval.seconds,
            units: draft.units ?? [:], ranges: draft.ranges ?? [:], rules: draft.rules ?? [], isBuiltIn: false,
            version: 1, createdAt: time, updatedAt: time)
        try check(limits)
    }

    func changed(by draft: ProfileChange, limits: RegistryLimits) throws(ServiceError) -> Profile {
        var profile = self
        if let name = draft.name { profile.name = try TextRules.name(name) }
        profile.description = draft.description.applied(to: description)
        profile.kind = draft.kind ?? kind
        profile.handler = draft.handler ?? handler
        profile.expectedIntervalSeconds = draft.expectedIntervalSeconds ?? expectedIntervalSeconds
        profile.units = draft.units ?? units
        profile.ranges = draft.ranges ?? ranges
        profile.rules = draft.rules ?? rules
        try profile.check(limits)
        return profile
    }

    /// - Throws: `conflict` with `profile.built_in`.
    func requireOwn() throws(ServiceError) {
        guard !isBuiltIn else {
            throw ServiceError(.conflict, "profile.built_in", "It comes with Vigil. Make a copy and change that.")
        }
    }

    private func check(_ limits: RegistryLimits) throws(ServiceError) {
        _ = try TextRules.word(kind, field: "kind")
        _ = try ReadingHandler.checked(handler)
        _ = try TextRules.interval(expectedIntervalSeconds)
        if let description { _ = try TextRules.name(description, field: "description", max: 2000) }
        guard units.count <= 500, units.allSatisfy({ $0.key.utf8.count <= 255 && $0.value.utf8.count <= 64 }) else {
            throw .invalid("units", "must be at most 500, each of at most 64 bytes", code: "request.field")
        }
        guard ranges.count <= 500 else { throw .invalid("ranges", "must be at most 500", code: "request.field") }
        for (metric, range) in ranges {
            guard let min = range.min, let max = range.max else { continue }
            guard min <= max else {
                throw .invalid("ranges.\(metric)", "must have min not above max", code: "request.field")
            }
        }
        guard rules.count <= 50, rules.allSatisfy({ $0.members != nil }),
            JSONValue.array(rules).canonicalText.utf8.count <= limits.jsonBytesMax
        else { throw .invalid("rules", "must be at most 50 objects", code: "request.field") }
    }
}
