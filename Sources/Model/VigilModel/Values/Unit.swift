/// A unit that readings are reported in and rules compare in.
///
/// A value is stored as reported; its unit is metadata of the series. Two units of one quantity convert by
/// `base = value × factor + offset`.
package struct Unit: Sendable, Hashable {
    /// What the unit measures; only units of one quantity convert.
    package enum Quantity: String, Sendable, Hashable, CaseIterable {
        case temperature
        case pressure
        case flow
        case volume
        case length
        case speed
        case mass
        case power
        case energy
        case voltage
        case current
        case frequency
        case rotation
        case ratio
        case time
        case area
        case concentration
        case illuminance
        case sound
        case data
    }

    /// The name that Vigil uses, as in UCUM where that is readable: `degC`, `m3/h`, `kWh`.
    package let name: String
    package let quantity: Quantity
    let factor: Double
    let offset: Double

    init(_ name: String, _ quantity: Quantity, _ factor: Double, _ offset: Double = 0) {
        self.name = name
        self.quantity = quantity
        self.factor = factor
        self.offset = offset
    }

    /// The unit that a text means, in any of its usual spellings: `°F`, `F`, `fahrenheit` are `degF`.
    ///
    /// Exact spelling wins; otherwise case does not matter where that leaves one meaning.
    package init?(_ text: String) {
        guard text.utf8.count <= 32 else { return nil }
        if let known = Self.exact[text] {
            self = known
        } else if let known = Self.folded[text.lowercased()] {
            self = known
        } else {
            return nil
        }
    }

    /// `value`, which is in this unit, in `other`; `nil` when the two measure different things.
    package func convert(_ value: Double, to other: Unit) -> Double? {
        guard quantity == other.quantity else { return nil }
        if self == other { return value }
        return (value * factor + offset - other.offset) / other.factor
    }

    /// The name of a unit as people write it: `°C` for `degC`, `m³/h` for `m3/h`; names that are no unit stay as they are.
    package static func sign(of name: String) -> String {
        let name = Unit(name)?.name ?? name
        switch name {
        case "degC": return "°C"
        case "degF": return "°F"
        case "m3", "m3/h", "m3/s", "m3/d", "ug/m3", "mg/m3": return name.replacing("m3", with: "m³")
        case "m2", "km2": return name.replacing("m2", with: "m²")
        default: return name
        }
    }

    /// All units with their other spellings, for the reference and for choices on pages.
    package static let all: [Unit] = table.map(\.unit)
}

extension Unit {
    private static let exact: [String: Unit] = {
        var names: [String: Unit] = [:]
        for (unit, spellings) in table {
            for name in [unit.name] + spellings where names[name] == nil { names[name] = unit }
        }
        return names
    }()

    /// Lower-case spellings that mean one unit only: `mW` and `MW` fall out.
    private static let folded: [String: Unit] = {
        var names: [String: Unit] = [:]
        var ambiguous: Set<String> = []
        for (name, unit) in exact {
            let folded = name.lowercased()
            if let other = names[folded], other != unit { ambiguous.insert(folded) }
            names[folded] = unit
        }
        return names.filter { !ambiguous.contains($0.key) }
    }()
}

/// Converts columns of one unit into another.
package struct UnitConversion: Sendable, Hashable {
    package let factor: Double
    package let offset: Double

    /// `nil` when a unit is unknown or the two measure different things.
    package init?(from source: Unit, to target: Unit) {
        guard source.quantity == target.quantity else { return nil }
        factor = source == target ? 1 : source.factor / target.factor
        offset = source == target ? 0 : (source.offset - target.offset) / target.factor
    }

    package func callAsFunction(_ value: Double) -> Double { value * factor + offset }
}
