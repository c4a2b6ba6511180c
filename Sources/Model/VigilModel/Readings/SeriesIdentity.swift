/// Who reports: a device (when it is known), the measurement, and the labels that all fields of a row share.
///
/// A class, so that an ingest path which has seen the bytes of a key before can hand out the same object, and every
/// stage behind it can look up by object identity instead of hashing strings for each row. It never changes.
package final class SeriesSource: Hashable, Sendable {
    /// The device, claimed or only discovered; `nil` for readings that name no device.
    package let device: DeviceID?
    /// The measurement of the line protocol.
    ///
    /// Empty when a field's name is the whole metric name, as for JSON readings.
    package let measurement: String
    package let labels: Labels

    package init(device: DeviceID?, measurement: String = "", labels: Labels = .none) {
        self.device = device
        self.measurement = measurement
        self.labels = labels
    }

    /// The metric of a field: `measurement_field`, or the field alone where there is no measurement.
    package func metric(of field: String) -> String {
        measurement.isEmpty ? field : measurement + "_" + field
    }

    package func identity(of field: String) -> SeriesIdentity {
        SeriesIdentity(device: device, metric: metric(of: field), labels: labels)
    }

    package static func == (left: SeriesSource, right: SeriesSource) -> Bool {
        left === right
            || (left.device == right.device && left.measurement == right.measurement && left.labels == right.labels)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(device)
        hasher.combine(measurement)
        hasher.combine(labels)
    }
}

/// What makes a series one series inside its tenant.
///
/// The tenant is part of the key too, but it always comes from the scope of the call, never from data.
package struct SeriesIdentity: Hashable, Sendable {
    package let device: DeviceID?
    package let metric: String
    package let labels: Labels

    package init(device: DeviceID?, metric: String, labels: Labels) {
        self.device = device
        self.metric = metric
        self.labels = labels
    }
}
