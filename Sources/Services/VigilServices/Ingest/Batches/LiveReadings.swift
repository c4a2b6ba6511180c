import VigilModel

/// What goes over the bus of a device's newest readings, as JSON.
///
/// Written byte by byte: it is made for every device of every batch, and an encoder takes ten times as long.
struct LiveReadings: Sendable {
    private var json = JSONBytes()
    private var isFirst = true

    init(_ device: DeviceEntry) {
        json.raw("{\"device\":")
        json.text(device.id.description)
        json.raw(",\"code\":")
        json.text(device.code)
        json.raw(",\"name\":")
        json.text(device.name)
        if let site = device.site {
            json.raw(",\"site\":")
            json.text(site.description)
        }
        json.raw(",\"readings\":[")
    }

    /// Adds the newest row of a part.
    mutating func add(_ place: Int, of prepared: PreparedRows) {
        let (part, extent) = (prepared.parts[place], prepared.extents[place])
        guard extent.rowCount > 0 else { return }
        let row = prepared.rows.rows[Int(extent.newestRow)]
        let time = Timestamp(microseconds: row.time)
        for field in part.values {
            json.raw(isFirst ? "{\"metric\":" : ",{\"metric\":")
            isFirst = false
            json.text(part.metrics[field])
            json.raw(",\"value\":")
            json.value(prepared.rows.value(part.shape.kinds[field], at: Int(row.firstWord) + field))
            json.raw(",\"time\":")
            json.time(time)
            if let unit = part.units[field] {
                json.raw(",\"unit\":")
                json.text(unit)
            }
            json.raw("}")
        }
    }

    consuming func finished() -> [UInt8] {
        json.raw("]}")
        return json.bytes
    }
}
