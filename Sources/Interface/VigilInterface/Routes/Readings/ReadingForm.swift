import VigilModel

/// The JSON of readings as a schema: they have no type, because an object without `value` is itself the value.
enum ReadingForm {
    /// One reading, a list of them, or an object that holds the list.
    ///
    /// - Parameter naming: Whether each reading names its device.
    static func readings(naming: Bool) -> JSONValue {
        let one = reading(naming: naming)
        let list: JSONValue = .object([
            "type": .string("array"), "items": one, "description": .string("Readings, at most 50,000."),
        ])
        return .object([
            "oneOf": .array([
                one, list,
                .object([
                    "type": .string("object"), "properties": .object(["readings": list]),
                    "required": .array([.string("readings")]),
                ]),
            ])
        ])
    }

    private static func reading(naming: Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "value": .object([
                "description": .string(
                    "A number, a text, true or false, or an object of metrics. Without it the object itself is the value: {\"temperature\": 21.5}."
                )
            ]),
            "metric": text("The metric of a value that is no object; the handler's own when absent."),
            "reading_type": text("What kind of reading it is, in the sender's words; kept with it."),
            "unit": text("The unit of the value: degC, bar, kWh."),
            "time": .object([
                "description": .string(
                    "RFC 3339, or a number since 1970: seconds, milli-, micro- or nanoseconds by its size. The arrival when absent."
                ), "type": .array([.string("string"), .string("number")]),
            ]),
            "labels": .object([
                "description": .string("Labels of the series: texts."), "type": .string("object"),
                "additionalProperties": .object(["type": .string("string")]),
            ]),
            "quality": .object([
                "description": .string("How far the value can be trusted."), "type": .string("number"),
                "minimum": .integer(0), "maximum": .integer(100),
            ]),
        ]
        var schema: [String: JSONValue] = [
            "type": .string("object"), "additionalProperties": .bool(true),
            "example": .object([
                "metric": .string("temperature"), "value": .number(21.5), "unit": .string("degC"),
                "time": .string("2025-06-01T12:00:00Z"),
            ]),
        ]
        if naming {
            members["device"] = text("The device, by identifier, code or name; an unknown one is discovered.")
            schema["required"] = .array([.string("device")])
        }
        schema["properties"] = .object(members)
        return .object(schema)
    }

    /// SteamBytes' form.
    static let steam: JSONValue = {
        let entry: [String: JSONValue] = [
            "sensor_type": text("The metric."), "value": .object(["description": .string("The value.")]),
            "sensor_id": text("The device; site and type together when absent."), "unit": text("The unit."),
            "timestamp": text("RFC 3339; the body's when absent."),
        ]
        return .object([
            "type": .string("object"), "required": .array([.string("site_id"), .string("readings")]),
            "properties": .object([
                "site_id": text("The site."), "timestamp": text("RFC 3339; the arrival when absent."),
                "readings": .object([
                    "type": .string("array"), "description": .string("Readings, at most 50,000."),
                    "items": .object([
                        "type": .string("object"), "properties": .object(entry),
                        "required": .array([.string("sensor_type"), .string("value")]),
                    ]),
                ]),
            ]),
        ])
    }()

    private static func text(_ meaning: String) -> JSONValue {
        .object(["type": .string("string"), "description": .string(meaning)])
    }
}
