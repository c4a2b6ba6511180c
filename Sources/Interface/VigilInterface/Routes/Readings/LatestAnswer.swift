import HTTPTypes
import VigilModel
import VigilServices

/// Writes newest values as the JSON of a ``Page`` of them.
///
/// By hand: a place's page asks for hundreds of them every few seconds, and an encoder takes ten times as long.
enum LatestAnswer {
    /// More values than this are written on the shared threads.
    private static let quickMax = 2000

    static func response(_ values: [LatestValue]) async -> Response {
        if values.count <= quickMax { return written(values) }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { written(values) }
    }

    private static func written(_ values: [LatestValue]) -> Response {
        var json = JSONBytes(capacity: 64 + values.count * 224)
        json.raw("{\"items\":[")
        // A device's values are neighbours, and mostly of one moment: what they share is written once and copied.
        var (arrival, device, time) = (0..<0, 0..<0, 0..<0)
        var last: LatestValue?
        for value in values {
            json.raw(last == nil ? "{" : ",{")
            arrival = json.repeating(arrival, if: last?.arrival == value.arrival) {
                $0.raw("\"arrival\":")
                $0.time(value.arrival)
            }
            device = json.repeating(device, if: last?.device == value.device && last?.labels == value.labels) {
                $0.device(of: value)
            }
            // In the order of an encoder that sorts: the flag stands before the metric.
            if value.mayBeOlder == true { json.raw(",\"mayBeOlder\":true") }
            json.raw(",\"metric\":")
            json.text(value.metric)
            json.raw(",\"quality\":")
            json.integer(Int64(value.quality))
            time = json.repeating(time, if: last?.time == value.time) {
                $0.raw(",\"time\":")
                $0.time(value.time)
            }
            if let unit = value.unit {
                json.raw(",\"unit\":")
                json.text(unit)
            }
            json.raw(",\"value\":")
            json.json(value.value)
            json.raw("}")
            last = value
        }
        json.raw("]}")
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .bytes(json.bytes))
    }
}

extension JSONBytes {
    /// Writes something, or what stands in `range` once more; returns where it stands now.
    fileprivate mutating func repeating(
        _ range: Range<Int>, if isSame: Bool, _ write: (inout JSONBytes) -> Void
    ) -> Range<Int> {
        let start = bytes.count
        if isSame { again(range) } else { write(&self) }
        return start..<bytes.count
    }

    fileprivate mutating func device(of value: LatestValue) {
        raw(",\"code\":")
        text(value.code)
        raw(",\"device\":")
        text(value.device.description)
        raw(",\"labels\":{")
        for (place, label) in value.labels.all.enumerated() {
            if place > 0 { raw(",") }
            text(label.name)
            raw(":")
            text(label.value)
        }
        raw("}")
    }
}
