extension Unit {
    /// The units that Vigil converts, each with its other spellings.
    ///
    /// The base of a quantity is the one with factor 1: kelvin, pascal, m³/s, m³, metre, m/s, kilogram, watt, joule,
    /// volt, ampere, hertz, r/s, one, second, m², g/m³, lux, decibel, byte.
    static let table: [(unit: Unit, spellings: [String])] =
        temperature + pressure + volumes + lengths + electric + others

    private static let temperature: [(unit: Unit, spellings: [String])] = [
        (Unit("degC", .temperature, 1, 273.15), ["°C", "C", "celsius", "Cel", "℃", "deg_c"]),
        (Unit("degF", .temperature, 5.0 / 9, 459.67 * 5 / 9), ["°F", "F", "fahrenheit", "[degF]", "℉", "deg_f"]),
        (Unit("K", .temperature, 1), ["kelvin"]),
    ]

    private static let pressure: [(unit: Unit, spellings: [String])] = [
        (Unit("Pa", .pressure, 1), ["pascal"]),
        (Unit("hPa", .pressure, 100), ["mbar", "millibar"]),
        (Unit("kPa", .pressure, 1000), ["kilopascal"]),
        (Unit("MPa", .pressure, 1_000_000), ["megapascal"]),
        (Unit("bar", .pressure, 100_000), ["barg"]),
        (Unit("psi", .pressure, 6894.757_293_168), ["psig", "lbf/in2"]),
        (Unit("atm", .pressure, 101_325), ["atmosphere"]),
        // One metre of water at 4 °C: 2.5 bar are 25.49 m.
        (Unit("mH2O", .pressure, 9806.65), ["mWC", "mwc", "m_H2O"]),
        (Unit("mmHg", .pressure, 133.322_387_415), ["torr"]),
    ]

    private static let volumes: [(unit: Unit, spellings: [String])] = [
        (Unit("m3/h", .flow, 1 / 3600.0), ["m³/h", "m3h", "cmh", "m^3/h"]),
        (Unit("m3/s", .flow, 1), ["m³/s", "m^3/s"]),
        (Unit("m3/d", .flow, 1 / 86_400.0), ["m³/d", "m3/day", "m³/day"]),
        (Unit("l/min", .flow, 0.001 / 60), ["L/min", "lpm", "l/m"]),
        (Unit("l/s", .flow, 0.001), ["L/s", "lps"]),
        (Unit("l/h", .flow, 0.001 / 3600), ["L/h", "lph"]),
        (Unit("gal/min", .flow, 0.003_785_411_784 / 60), ["gpm"]),
        (Unit("m3", .volume, 1), ["m³", "m^3", "cubic_meter"]),
        (Unit("l", .volume, 0.001), ["L", "liter", "litre"]),
        (Unit("ml", .volume, 0.000_001), ["mL"]),
        (Unit("gal", .volume, 0.003_785_411_784), ["gallon"]),
    ]

    private static let lengths: [(unit: Unit, spellings: [String])] = [
        (Unit("m", .length, 1), ["meter", "metre"]),
        (Unit("km", .length, 1000), ["kilometer", "kilometre"]),
        (Unit("cm", .length, 0.01), []),
        (Unit("mm", .length, 0.001), []),
        (Unit("in", .length, 0.0254), ["inch"]),
        (Unit("ft", .length, 0.3048), ["foot", "feet"]),
        (Unit("mi", .length, 1609.344), ["mile"]),
        (Unit("m/s", .speed, 1), ["mps"]),
        (Unit("km/h", .speed, 1 / 3.6), ["kmh", "kph"]),
        (Unit("mph", .speed, 0.447_04), []),
        (Unit("kn", .speed, 1852.0 / 3600), ["knot"]),
        (Unit("m2", .area, 1), ["m²"]),
        (Unit("km2", .area, 1_000_000), ["km²"]),
        (Unit("ha", .area, 10_000), ["hectare"]),
    ]

    private static let electric: [(unit: Unit, spellings: [String])] = [
        (Unit("W", .power, 1), ["watt"]),
        (Unit("kW", .power, 1000), ["kilowatt"]),
        (Unit("MW", .power, 1_000_000), ["megawatt"]),
        (Unit("mW", .power, 0.001), ["milliwatt"]),
        (Unit("hp", .power, 745.699_871_582), []),
        (Unit("J", .energy, 1), ["joule"]),
        (Unit("kJ", .energy, 1000), []),
        (Unit("MJ", .energy, 1_000_000), []),
        (Unit("Wh", .energy, 3600), []),
        (Unit("kWh", .energy, 3_600_000), []),
        (Unit("MWh", .energy, 3_600_000_000), []),
        (Unit("kcal", .energy, 4184), []),
        (Unit("V", .voltage, 1), ["volt"]),
        (Unit("mV", .voltage, 0.001), ["millivolt"]),
        (Unit("kV", .voltage, 1000), []),
        (Unit("A", .current, 1), ["amp", "ampere"]),
        (Unit("mA", .current, 0.001), []),
        (Unit("Hz", .frequency, 1), ["hertz"]),
        (Unit("kHz", .frequency, 1000), []),
        (Unit("rpm", .rotation, 1 / 60.0), ["r/min"]),
        (Unit("r/s", .rotation, 1), ["rps"]),
    ]

    private static let others: [(unit: Unit, spellings: [String])] = [
        (Unit("1", .ratio, 1), ["ratio"]),
        (Unit("%", .ratio, 0.01), ["percent", "pct", "%RH", "RH"]),
        (Unit("ppm", .ratio, 0.000_001), []),
        (Unit("ppb", .ratio, 0.000_000_001), []),
        (Unit("kg", .mass, 1), ["kilogram"]),
        (Unit("g", .mass, 0.001), ["gram"]),
        (Unit("t", .mass, 1000), ["tonne"]),
        (Unit("lb", .mass, 0.453_592_37), ["pound"]),
        (Unit("s", .time, 1), ["sec", "second", "seconds"]),
        (Unit("ms", .time, 0.001), ["millisecond"]),
        (Unit("min", .time, 60), ["minute", "minutes"]),
        (Unit("h", .time, 3600), ["hour", "hours"]),
        (Unit("d", .time, 86_400), ["day", "days"]),
        (Unit("ug/m3", .concentration, 0.000_001), ["µg/m³", "μg/m³", "µg/m3"]),
        (Unit("mg/m3", .concentration, 0.001), ["mg/m³"]),
        (Unit("mg/l", .concentration, 1), ["mg/L"]),
        (Unit("lx", .illuminance, 1), ["lux"]),
        (Unit("dB", .sound, 1), ["decibel", "dBA", "dBm"]),
        (Unit("B", .data, 1), ["byte", "bytes"]),
        (Unit("kB", .data, 1000), []),
        (Unit("MB", .data, 1_000_000), []),
        (Unit("GB", .data, 1_000_000_000), []),
    ]
}
