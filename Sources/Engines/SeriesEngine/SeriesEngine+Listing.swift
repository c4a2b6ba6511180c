package import VigilModel
package import VigilPorts

// Found in the index and in what is known of chunks and rows without reading them.
extension SeriesEngine {
    package func labelNames(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String> {
        var result: Set<String> = []
        for (group, _) in try listed(selection, scope) {
            for label in group.labels.all { result.insert(label.name) }
        }
        return result
    }

    package func labelValues(
        of name: String, _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String> {
        var result: Set<String> = []
        for (group, entries) in try listed(selection, scope) {
            if name == LabelMatcher.metricName {
                for entry in entries { result.insert(entry.metric) }
            } else if let value = group.labels[name] {
                result.insert(value)
            }
        }
        return result
    }

    package func devices(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<DeviceID> {
        Set(try listed(selection, scope).compactMap(\.0.device))
    }

    private func listed(
        _ selection: SeriesSelection, _ scope: AccessScope
    ) throws(StoreError) -> [(SourceGroup, [SeriesEntry])] {
        try log.checkOpen()
        let tenant = try tenant(of: scope)
        if selection.range.isEmpty { return [] }
        let matchers = try SeriesMatchers(selection.matchers, devices: selection.devices)
        return memory.present(
            catalogue.find(matchers, tenant: tenant, scope: scope), from: selection.range.start.microseconds,
            to: selection.range.end.microseconds)
    }
}

extension SeriesMemory {
    /// The series that may have a sample in a range, by the first and last times of what holds them.
    func present(
        _ found: [(SourceGroup, [SeriesEntry])], from start: Int64, to end: Int64
    ) -> [(SourceGroup, [SeriesEntry])] {
        locked {
            found.compactMap { group, entries in
                let blocks = (group.frozen + group.blocks).filter {
                    $0.count > 0 && $0.lastTime >= start && $0.firstTime < end
                }
                let chunks = group.chunks.filter { $0.lastTime >= start && $0.firstTime < end }
                if blocks.isEmpty, chunks.isEmpty { return nil }
                let some = entries.filter { entry in
                    !entry.isEmpty
                        && (chunks.contains {
                            $0.column(entry.number).map { $0.lastTime >= start && $0.firstTime < end } ?? false
                        }
                            || blocks.contains { block in block.layout.columns.contains { $0.series === entry } })
                }
                return some.isEmpty ? nil : (group, some)
            }
        }
    }
}
