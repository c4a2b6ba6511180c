package import VigilModel
import VigilPorts

/// What a chart draws of one metric of a device.
package struct ChartSeries: Codable, Sendable {
    package var metric: String
    package var labels: Labels
    package var unit: String?
    /// Beginnings of the windows, in milliseconds since 1970.
    package var times: [Int64]
    package var minimum: [Double]
    package var average: [Double]
    package var maximum: [Double]
}

/// A chart's data.
package struct Chart: Codable, Sendable {
    package var device: DeviceID
    package var from: String
    package var to: String
    package var stepSeconds: Double
    package var series: [ChartSeries]
}

extension QueryService {
    /// The widths of windows that a chart may have, in seconds.
    static let steps: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    ]

    /// Minimum, average and maximum over windows of equal width.
    ///
    /// Without `step` the width is the smallest that makes at most `points` windows.
    package func chart(
        ofDevice reference: String, metrics: [String], range: TimeRange, step: Span?, points: Int, in scope: AccessScope
    ) async throws -> Chart {
        let tenant = try AlertingService.tenant(of: scope)
        let device = try await device(reference, tenant: tenant, in: scope)
        let length = max(1, Int64((range.end - range.start).seconds))
        let automatic = Self.steps.first { length / $0 <= Int64(points) } ?? max(604_800, length / Int64(points))
        let width = step ?? .seconds(automatic)
        guard width.microseconds > 0, (range.end - range.start).microseconds / width.microseconds <= 11_000 else {
            throw ServiceError.invalid("step", "would make more than 11,000 windows")
        }
        let aligned = TimeRange(
            Timestamp(microseconds: range.start.microseconds - Self.modulo(range.start, width)), range.end)
        var series: [ChartSeries] = []
        let units = try await units(of: [device.id], tenant: tenant, in: scope)[device.id] ?? [:]
        let wanted: [[LabelMatcher]] = metrics.isEmpty ? [[]] : metrics.map { [.metric($0)] }
        for matchers in wanted {
            let windows = try await stores.series.windows(
                WindowQuery(
                    SeriesSelection(matchers, devices: [device.id], range: aligned), step: width,
                    aggregates: [.minimum, .average, .maximum]), in: scope)
            for window in windows where !window.identity.metric.hasPrefix("__") {
                series.append(
                    ChartSeries(
                        metric: window.identity.metric, labels: window.identity.labels,
                        unit: units[window.identity.metric], times: window.starts.map { $0.microseconds / 1000 },
                        minimum: window.values[0], average: window.values[1], maximum: window.values[2]))
            }
        }
        series.sort { $0.metric < $1.metric }
        return Chart(
            device: device.id, from: aligned.start.description, to: aligned.end.description,
            stepSeconds: width.seconds, series: series)
    }

    private static func modulo(_ time: Timestamp, _ width: Span) -> Int64 {
        let rest = time.microseconds % width.microseconds
        return rest < 0 ? rest + width.microseconds : rest
    }
}
