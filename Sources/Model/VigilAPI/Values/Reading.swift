public import Foundation

/// One value that a device reports.
public struct Reading: Sendable, Hashable, Codable {
    /// The device's code, identifier or external identifier; an unknown one is discovered.
    public var device: String
    /// What was measured, such as `temperature`; the device's handler names it when absent.
    public var metric: String?
    /// The value.
    public var value: Value
    /// The unit of the value, such as `degC`, `bar` or `m3/h`.
    public var unit: String?
    /// The device's time; the time of arrival when absent.
    public var time: Date?
    /// Labels that tell series of one metric apart, such as `["phase": "1"]`.
    public var labels: [String: String]?
    /// How far the value can be trusted, 0 to 100; 100 when absent.
    public var quality: Int?

    /// A reading.
    public init(
        device: String, metric: String? = nil, value: Value, unit: String? = nil, time: Date? = nil,
        labels: [String: String]? = nil, quality: Int? = nil
    ) {
        self.device = device
        self.metric = metric
        self.value = value
        self.unit = unit
        self.time = time
        self.labels = labels
        self.quality = quality
    }
}

/// What became of readings that were written.
public struct WriteReceipt: Sendable, Hashable, Codable {
    /// A reading that was refused.
    public struct Refusal: Sendable, Hashable, Codable {
        /// Its place in what was sent, from 1.
        public var line: Int
        /// A stable code, such as `time.future`.
        public var code: String
        /// A sentence for people.
        public var reason: String
    }

    /// How many values are stored, durably.
    public var accepted: Int
    /// How many readings were refused.
    public var refused: Int
    /// The first refused ones.
    public var refusals: [Refusal]
}

/// A reading as it is kept: all that a device said at one time.
public struct StoredReading: Sendable, Hashable, Codable {
    /// The device's time.
    public var time: Date
    /// When it reached Vigil.
    public var arrival: Date?
    /// The labels of its series.
    public var labels: [String: String]
    /// Metric → value.
    public var values: [String: Value]
    /// Metric → unit, as far as it is known.
    public var units: [String: String]
    /// The object as it was sent.
    public var value: Value?
    /// 0 to 100, of the least trusted value.
    public var quality: Int
    /// Whether handler and rules have run.
    public var processed: Bool
}

/// The newest value of one metric of a device.
public struct LatestValue: Sendable, Hashable, Codable {
    /// The device's code.
    public var code: String
    /// What was measured.
    public var metric: String
    /// The labels of its series.
    public var labels: [String: String]
    /// The value.
    public var value: Value
    /// Its unit, when it is known.
    public var unit: String?
    /// The device's time.
    public var time: Date
}
