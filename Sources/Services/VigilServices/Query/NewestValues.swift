package import VigilModel
package import VigilPorts

/// The newest value of a metric of a device.
package struct LatestValue: Codable, Sendable {
    package var device: DeviceID
    package var code: String
    package var metric: String
    package var labels: Labels
    package var value: JSONValue
    package var unit: String?
    package var time: Timestamp
    package var arrival: Timestamp
    /// 0 to 100.
    package var quality: Int
    /// True where a newer value may lie in a file that is damaged; absent otherwise.
    package var mayBeOlder: Bool?
}

/// Newest values by the code of their device and then by metric, as the store gave them.
///
/// There are hundreds of them in an answer that is asked for every few seconds, so none is copied before somebody looks at
/// it.
package struct NewestValues: RandomAccessCollection, Sendable {
    private struct Place {
        /// The device among the members of the roster.
        let member: Int32
        let sample: Int32
    }

    private let roster: Roster
    private let samples: [LatestSample]
    private var places: [Place] = []

    package init(_ samples: [LatestSample], of roster: Roster) {
        self.roster = roster
        self.samples = samples
        places.reserveCapacity(samples.count)
        var (device, member): (DeviceID?, Int?) = (nil, nil)
        for index in samples.indices {
            let identity = samples[index].identity
            // A device's values come together.
            if identity.device != device { (device, member) = (identity.device, identity.device.flatMap(roster.place)) }
            guard let member, !identity.metric.hasPrefix("__") else { continue }
            places.append(Place(member: Int32(member), sample: Int32(index)))
        }
        places.sort {
            if $0.member != $1.member { return $0.member < $1.member }
            return samples[Int($0.sample)].identity.metric < samples[Int($1.sample)].identity.metric
        }
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { places.count }

    package subscript(index: Int) -> LatestValue {
        let (member, latest) = (roster.members[Int(places[index].member)], samples[Int(places[index].sample)])
        return LatestValue(
            device: member.device, code: member.code, metric: latest.identity.metric, labels: latest.identity.labels,
            value: latest.sample.value.json, unit: member.units[latest.identity.metric], time: latest.sample.time,
            arrival: latest.arrival, quality: Int(latest.sample.quality.rawValue),
            mayBeOlder: latest.isCertain ? nil : true)
    }

    /// Shows each value with its device, in order, where it lies.
    package func walk(_ body: (Roster.Member, LatestSample) -> Void) {
        for place in places { body(roster.members[Int(place.member)], samples[Int(place.sample)]) }
    }
}
