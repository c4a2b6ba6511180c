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
        let time = Timestamp(microseconds: row.time).description
        for field in part.values {
            json.raw(isFirst ? "{\"metric\":" : ",{\"metric\":")
            isFirst = false
            json.text(part.metrics[field])
            json.raw(",\"value\":")
            json.value(prepared.rows.value(part.shape.kinds[field], at: Int(row.firstWord) + field))
            json.raw(",\"time\":")
            json.text(time)
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

/// Writes JSON to bytes.
struct JSONBytes: Sendable {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(512) }

    /// Adds what is JSON already.
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func text(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            // Hardly any text needs an escape.
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                escape(utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ utf8: UnsafeBufferPointer<UInt8>) {
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                raw("\\u00")
                for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 48 + digit : 87 + digit) }
            default: bytes.append(byte)
            }
        }
    }

    /// What JSON cannot write as a number is a text, as in the Prometheus API.
    mutating func value(_ value: ReadingValue) {
        switch value {
        case .float(let number):
            if number.isFinite {
                let text = number.description
                raw(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
            } else {
                text(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
            }
        case .integer(let number): raw(String(number))
        case .boolean(let flag): raw(flag ? "true" : "false")
        case .text(let text): self.text(text)
        // An object was checked to be JSON when it came.
        case .object(let json): raw(json)
        }
    }
}
