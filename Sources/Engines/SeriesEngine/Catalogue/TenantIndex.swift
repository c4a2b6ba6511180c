import VigilModel

/// Finds the groups of one tenant by labels, devices and metrics.
///
/// For each value of a label, each device and each metric it holds the sorted positions of the groups that have it. Lists
/// grow at their ends, because groups are added in the order of their positions.
final class TenantIndex {
    // Guarded by the catalogue's lock.
    private(set) var groups: [SourceGroup] = []
    private var labels: [String: [String: [UInt32]]] = [:]
    private var devices: [DeviceID: [UInt32]] = [:]
    private var metrics: [String: IndexedMetric] = [:]

    func add(_ group: SourceGroup) {
        let position = UInt32(groups.count)
        groups.append(group)
        group.position = position
        for label in group.labels.all { labels[label.name, default: [:]][label.value, default: []].append(position) }
        if let device = group.device { devices[device, default: []].append(position) }
    }

    /// The metric of this name, which is made when there is none.
    func metric(named name: String) -> IndexedMetric {
        if let known = metrics[name] { return known }
        let made = IndexedMetric(name)
        metrics[name] = made
        return made
    }

    /// The series for which all matchers hold and that the scope shows, group by group.
    func find(_ matchers: SeriesMatchers, _ scope: AccessScope) -> [(SourceGroup, [SeriesEntry])] {
        var found: [UInt32]?
        func keep(_ list: [UInt32]) { found = found.map { Postings.intersection($0, list) } ?? list }
        if case .assigned(let assigned, _) = scope.visibility { keep(positions(of: assigned)) }
        if let wanted = matchers.devices { keep(positions(of: wanted)) }
        for condition in matchers.labels where found?.isEmpty != true { narrow(&found, by: condition) }
        guard let names = metricNames(matchers) else {
            let all = found?.map { groups[Int($0)] } ?? groups
            return all.compactMap { $0.series.isEmpty ? nil : ($0, $0.series) }
        }
        if names.isEmpty || found?.isEmpty == true { return [] }
        keep(names.count == 1 ? positions(of: names[0]) : Postings.union(names.map { positions(of: $0) }))
        let wanted = Set(names)
        return (found ?? []).compactMap { position in
            let group = groups[Int(position)]
            if names.count == 1 { return group.entry(names[0]).map { (group, [$0]) } }
            let some = group.series.filter { wanted.contains($0.metric) }
            return some.isEmpty ? nil : (group, some)
        }
    }

    private func positions(of metric: String) -> [UInt32] { metrics[metric]?.positions ?? [] }

    private func positions(of wanted: Set<DeviceID>) -> [UInt32] {
        Postings.union(wanted.compactMap { devices[$0] })
    }

    private func narrow(_ found: inout [UInt32]?, by condition: SeriesMatchers.Condition) {
        let values = labels[condition.name] ?? [:]
        // An absent label has the empty value: where that holds, only what has another value falls away.
        let keepsAbsent = condition.holds("")
        var lists: [[UInt32]] = []
        if condition.operation == .equal, !keepsAbsent {
            lists = values[condition.value].map { [$0] } ?? []
        } else {
            for (value, list) in values where condition.holds(value) != keepsAbsent { lists.append(list) }
        }
        let list = Postings.union(lists)
        if keepsAbsent {
            if !list.isEmpty { found = Postings.difference(found ?? Array(0..<UInt32(groups.count)), list) }
        } else {
            found = found.map { Postings.intersection($0, list) } ?? list
        }
    }

    /// The metrics for which all matchers of the metric hold, or `nil` when there are none.
    private func metricNames(_ matchers: SeriesMatchers) -> [String]? {
        guard matchers.hasMetric else { return nil }
        if let name = matchers.metricName {
            return metrics[name] != nil && matchers.matches(metric: name) ? [name] : []
        }
        return metrics.keys.filter { matchers.matches(metric: $0) }
    }
}

/// A metric of a tenant, with the groups that have a series of it.
///
/// An object, so that who adds a series of a known metric looks for no name.
final class IndexedMetric {
    let name: String
    /// Sorted.
    private(set) var positions: [UInt32] = []

    init(_ name: String) {
        self.name = name
    }

    /// Notes that a group has a series of this metric.
    func add(_ group: SourceGroup) {
        let position = group.position
        // Nearly always the group is the last: a device's fields come together.
        guard let last = positions.last, last >= position else { return positions.append(position) }
        let place = Postings.lowerBound(positions, position)
        if positions[place] != position { positions.insert(position, at: place) }
    }
}
