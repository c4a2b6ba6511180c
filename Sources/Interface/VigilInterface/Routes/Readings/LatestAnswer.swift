import HTTPTypes
import VigilModel
import VigilPorts
package import VigilServices

/// Writes newest values as the JSON of a ``Page`` of ``VigilServices/LatestValue``.
///
/// By hand: a place's page asks for hundreds of them every few seconds, and an encoder takes ten times as long.
package enum LatestAnswer {
    /// More values than this are written on the shared threads.
    private static let quickMax = 2000

    package static func response(_ values: NewestValues) async -> Response {
        if values.count <= quickMax { return written(values) }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { written(values) }
    }

    private static func written(_ values: NewestValues) -> Response {
        var text = LatestText(count: values.count)
        values.walk { member, latest in text.add(latest, of: member) }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .bytes(text.finished()))
    }
}

/// The values, in the order of members that an encoder gives them which sorts.
///
/// A device's values are neighbours, and mostly of one moment: what they share is written once and copied.
private struct LatestText {
    private var json: JSONBytes
    /// Where the last value's arrival, device and labels stand.
    private var head = 0..<0
    /// Where its time stands.
    private var moment = 0..<0
    private var device: DeviceID?
    private var labels = Labels.none
    private var arrival = Timestamp.distantPast
    private var time = Timestamp.distantPast

    init(count: Int) {
        json = JSONBytes(capacity: 64 + count * 256)
        json.raw("{\"items\":[")
    }

    mutating func add(_ latest: LatestSample, of member: Roster.Member) {
        let isSameMoment = device != nil && time == latest.sample.time
        let isSameHead = device == member.device && arrival == latest.arrival && labels == latest.identity.labels
        if device != nil { json.raw(",") }
        let start = json.bytes.count
        if isSameHead { json.again(head) } else { writeHead(latest, of: member) }
        head = start..<json.bytes.count
        if !latest.isCertain { json.raw(",\"mayBeOlder\":true") }
        json.raw(",\"metric\":")
        json.text(latest.identity.metric)
        json.raw(",\"quality\":")
        json.integer(Int64(latest.sample.quality.rawValue))
        let behind = json.bytes.count
        if isSameMoment {
            json.again(moment)
        } else {
            json.raw(",\"time\":")
            json.time(latest.sample.time)
            time = latest.sample.time
        }
        moment = behind..<json.bytes.count
        if !member.units.isEmpty, let unit = member.units[latest.identity.metric] {
            json.raw(",\"unit\":")
            json.text(unit)
        }
        json.raw(",\"value\":")
        // An object is told in one form, however it was sent.
        if case .object = latest.sample.value {
            json.json(latest.sample.value.json)
        } else {
            json.value(latest.sample.value)
        }
        json.raw("}")
    }

    private mutating func writeHead(_ latest: LatestSample, of member: Roster.Member) {
        json.raw("{\"arrival\":")
        json.time(latest.arrival)
        json.raw(",\"code\":")
        json.text(member.code)
        json.raw(",\"device\":")
        json.text(member.device.description)
        json.raw(",\"labels\":{")
        for (place, label) in latest.identity.labels.all.enumerated() {
            if place > 0 { json.raw(",") }
            json.text(label.name)
            json.raw(":")
            json.text(label.value)
        }
        json.raw("}")
        (device, arrival, labels) = (member.device, latest.arrival, latest.identity.labels)
    }

    consuming func finished() -> [UInt8] {
        json.raw("]}")
        return json.bytes
    }
}
