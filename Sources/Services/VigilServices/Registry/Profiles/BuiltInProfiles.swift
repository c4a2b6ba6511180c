package import VigilModel
package import VigilPorts

/// The profiles that come with Vigil: one for each kind of device of the reference systems.
package enum BuiltInProfiles {
    /// Gives a tenant the built-in profiles, or brings them up to this version.
    ///
    /// Called in the transaction that makes a tenant, and at start. Repeating it changes nothing. A code that the tenant
    /// uses for a profile of its own stays the tenant's.
    /// - Returns: How many profiles were made or changed.
    @discardableResult
    package static func seed(tenant: TenantID, at time: Timestamp, in transaction: any SQLTransaction) throws -> Int {
        let rows = try transaction.rows("SELECT \(Profile.columns) FROM profiles p WHERE p.tenant_id = \(tenant)")
        let present = try Dictionary(rows.map(Profile.init(row:)).map { ($0.code, $0) }) { first, _ in first }
        var count = 0
        for draft in all {
            var profile = try Profile(draft, id: ProfileID(at: time), time: time, limits: RegistryLimits())
            profile.isBuiltIn = true
            if let old = present[profile.code] {
                guard old.isBuiltIn else { continue }
                profile.id = old.id
                profile.version = old.version
                profile.createdAt = old.createdAt
                profile.updatedAt = old.updatedAt
                guard profile != old else { continue }
                profile.version += 1
                profile.updatedAt = time
                try profile.update(tenant: tenant, in: transaction)
            } else {
                try profile.insert(tenant: tenant, in: transaction)
            }
            count += 1
        }
        return count
    }

    package static let all: [ProfileDraft] = security + boilers + water + fleet

    private static let security: [ProfileDraft] = [
        draft("door_contact", "Door contact", handler: "door_contact", minutes: 60),
        draft("window_contact", "Window contact", handler: "window_contact", minutes: 60),
        draft("motion", "Motion detector", handler: "motion", minutes: 60),
        draft("glass_break", "Glass break detector", handler: "glass_break", minutes: 60),
        draft("smoke", "Smoke detector", handler: "smoke", minutes: 60),
        draft("carbon_monoxide", "Carbon monoxide detector", handler: "carbon_monoxide", minutes: 60),
        draft("water_leak", "Water leak detector", handler: "water_leak", minutes: 60),
        draft(
            "temperature", "Thermometer", handler: "temperature", minutes: 5, units: ["temperature": "degC"],
            ranges: ["temperature": ValidRange(min: -60, max: 150)]),
        draft("camera", "Camera", kind: "camera", handler: "camera", minutes: 5),
        draft("custom", "Other device", handler: "custom", minutes: 5),
    ]

    private static let boilers: [ProfileDraft] = [
        boiler("temperature", "Boiler temperature", "degC", 0, 250, above: 100, .high),
        boiler("pressure", "Boiler pressure", "bar", 0, 60, above: 20, .critical),
        boiler("fuel_level", "Boiler fuel level", "%", 0, 100, below: 15, .medium),
        boiler("flow_rate", "Boiler flow", "l/min", 0, 2000),
        boiler("efficiency", "Boiler efficiency", "%", 0, 100),
    ]

    private static let water: [ProfileDraft] = [
        draft(
            "dma_flow", "DMA flow", kind: "meter", handler: "numeric", minutes: 15,
            units: ["flow_rate": "m3/h", "total_flow": "m3"],
            ranges: ["flow_rate": ValidRange(min: 0, max: 10_000), "total_flow": ValidRange(min: 0)]),
        draft(
            "dma_pressure", "DMA pressure", kind: "meter", handler: "numeric", minutes: 15,
            units: ["pressure": "bar", "min_pressure": "bar", "max_pressure": "bar"],
            ranges: ["pressure": ValidRange(min: 0, max: 100)]),
        draft(
            "water_meter", "Water meter", kind: "meter", handler: "numeric", minutes: 60,
            units: ["reading": "m3", "consumption": "m3"], ranges: ["reading": ValidRange(min: 0)]),
    ]

    private static let fleet: [ProfileDraft] = [
        draft(
            "pumping_station", "Pumping station", kind: "controller", handler: "numeric", minutes: 5,
            units: [
                "bus_voltage": "V", "frequency": "Hz", "pump_current": "A", "pump_power": "kW", "pump_voltage": "V",
                "motor_speed": "r/min", "inverter_temperature": "degC", "tds_sensor": "ppm", "level_sensor": "m",
                "pressure_sensor": "bar", "totalWaterVolume_m3": "m3", "water_pumped_flow_rate_per_hour": "m3/h",
                "pump_energy_consumption": "kWh", "total_energy": "kWh", "energy_per_day": "kWh",
            ],
            ranges: [
                "tds_sensor": ValidRange(min: 0, max: 10_000), "level_sensor": ValidRange(min: 0, max: 100),
                "pressure_sensor": ValidRange(min: 0, max: 50), "totalWaterVolume_m3": ValidRange(min: 0),
            ])
    ]

    private static func draft(
        _ code: String, _ name: String, kind: String = "sensor", handler: String, minutes: Double,
        units: [String: String] = [:], ranges: [String: ValidRange] = [:], rules: [JSONValue] = []
    ) -> ProfileDraft {
        ProfileDraft(
            code: code, name: name, kind: kind, handler: handler, expectedIntervalSeconds: minutes * 60, units: units,
            ranges: ranges, rules: rules)
    }

    /// A boiler sensor reports its metric once a minute; the thresholds are those of the reference system.
    private static func boiler(
        _ metric: String, _ name: String, _ unit: String, _ min: Double, _ max: Double, above: Double? = nil,
        below: Double? = nil, _ severity: Severity = .medium
    ) -> ProfileDraft {
        var rules: [JSONValue] = []
        if let limit = above ?? below {
            rules.append(
                .object([
                    "name": .string("\(name) \(above == nil ? "low" : "high")"), "metric": .string(metric),
                    "condition": .string(above == nil ? "below" : "above"), "threshold": .number(limit),
                    "unit": .string(unit), "severity": .string(severity.rawValue), "type": .string("environmental"),
                ]))
        }
        return draft(
            "boiler_\(metric)", name, handler: "numeric", minutes: 1, units: [metric: unit],
            ranges: [metric: ValidRange(min: min, max: max)], rules: rules)
    }
}

extension RegistryService {
    /// Gives a tenant the built-in profiles; repeating it changes nothing.
    @discardableResult
    package func seedProfiles(tenant: TenantID) async throws -> Int {
        let time = clock.now()
        let count = try await relational.write(in: SystemScope.tenant(tenant, "built-in profiles")) { transaction in
            try BuiltInProfiles.seed(tenant: tenant, at: time, in: transaction)
        }
        if count > 0 { await announce(nil, tenant: tenant) }
        return count
    }
}
