import VigilModel

/// Finds the groups of one tenant by labels, devices and metrics.
///
/// For each value of a label, each device and each metric it holds the sorted positions of the groups that have it. Lists
/// grow at their ends, because groups are added in the order of their positions.
struct TenantIndex {
    private(set) var groups: [SourceGroup] = []
    private var labels: [String: [String: [UInt32]]] = [:]
    private var devices: [DeviceID: [UInt32]] = [:]
    private var metrics: [String: [UInt32]] = [:]
    private var positions: [UInt32: UInt32] = [:]

    mutating func add(_ group: SourceGroup) {
        let position = UInt32(groups.count)
        groups.append(group)
        positions[group.number] = position
        for label in group.labels.all { labels[label.name, default: [:]][label.value, default: []].append(position) }
        if let device = group.device { devices[device, default: []].append(position) }
    }

    /// Notes that a group has a series of this metric.
    mutating func add(_ metric: String, to group: SourceGroup) {
        guard let position = positions[group.number] else { return }
        var list = metrics[metric] ?? []
        metrics[metric] = nil
        // Nearly always the group is the last: a device's fields come together.
        if let last = list.last, last >= position {
            let place = Postings.lowerBound(list, position)
            if list[place] != position { list.insert(position, at: place) }
        } else {
            list.append(position)
        }
        metrics[metric] = list
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
        keep(names.count == 1 ? metrics[names[0]] ?? [] : Postings.union(names.map { metrics[$0] ?? [] }))
        let wanted = Set(names)
        return (found ?? []).compactMap { position in
            let group = groups[Int(position)]
            if names.count == 1 { return group.entry(names[0]).map { (group, [$0]) } }
            let some = group.series.filter { wanted.contains($0.metric) }
            return some.isEmpty ? nil : (group, some)
        }
    }

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
