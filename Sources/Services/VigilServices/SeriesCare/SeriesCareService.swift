package import VigilModel
package import VigilPorts

/// Looks after the series store for people: what it holds, whether it is whole, and what is taken out of it.
package final class SeriesCareService: Sendable {
    let stores: Stores
    let clock: any TimeSource

    package init(stores: Stores, clock: any TimeSource) {
        self.stores = stores
        self.clock = clock
    }

    /// Sizes, and which labels make how many series.
    package struct Statistics: Codable, Sendable {
        /// A label with the values that most series have.
        package struct Label: Codable, Sendable {
            package struct Value: Codable, Sendable {
                package var value: String
                package var series: Int
            }

            package var name: String
            package var series: Int
            package var distinctValues: Int
            package var top: [Value]
        }

        /// Series and samples of all tenants.
        package var series: Int
        package var samples: Int
        package var diskBytes: Int
        package var memoryBytes: Int
        package var files: [SeriesFileFact]
        /// Series of the tenant.
        package var tenantSeries: Int
        /// By the number of their values, the most first.
        package var labels: [Label]
    }

    /// What the store holds, with the labels of one tenant's series.
    ///
    /// - Parameter top: How many labels, and values of each.
    package func statistics(top: Int, in scope: AccessScope) async throws -> Statistics {
        let totals = try await stores.series.statistics()
        let files = try await (stores.series as? any SeriesCare)?.sizes() ?? []
        var counts: [String: [String: Int]] = [:]
        let series = try await stores.series.series(SeriesSelection([.notInternal]), in: scope)
        for identity in series {
            counts[LabelMatcher.metricName, default: [:]][identity.metric, default: 0] += 1
            if let device = identity.device { counts["device", default: [:]][device.description, default: 0] += 1 }
            for label in identity.labels.all { counts[label.name, default: [:]][label.value, default: 0] += 1 }
        }
        let labels = counts.map { name, values in
            Statistics.Label(
                name: name, series: values.values.reduce(0, +), distinctValues: values.count,
                top: values.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(top).map {
                    Statistics.Label.Value(value: $0.key, series: $0.value)
                })
        }
        return Statistics(
            series: totals.seriesCount, samples: totals.sampleCount, diskBytes: totals.diskBytes,
            memoryBytes: totals.memoryBytes, files: files, tenantSeries: series.count,
            labels: Array(
                labels.sorted { ($1.distinctValues, $0.name) < ($0.distinctValues, $1.name) }.prefix(top)))
    }

    private func care() throws(ServiceError) -> any SeriesCare {
        guard let care = stores.series as? any SeriesCare else {
            throw ServiceError(.conflict, "series.foreign", "The series store is looked after by its own tools.")
        }
        return care
    }

    /// Reads every checksum.
    package func verify() async throws -> SeriesVerification { try await care().verify() }

    /// What compacting did.
    package struct Compaction: Codable, Sendable {
        package var bytesBefore: Int
        package var bytesAfter: Int
    }

    /// Gives the space of what was removed back to the disk.
    package func compact() async throws -> Compaction {
        let before = try await stores.series.statistics().diskBytes
        try await care().compact()
        return Compaction(bytesBefore: before, bytesAfter: try await stores.series.statistics().diskBytes)
    }
}
