package import VigilModel

/// The bounds of ingest; all are stated in the reference.
package struct IngestSettings: Sendable {
    /// A reading further ahead of our clock is refused.
    package var futureMax = Span.days(1)
    /// Readings of one JSON request.
    package var readingsMax = 50_000
    /// Bytes of one reading as sent.
    package var readingBytesMax = 64 * 1024
    /// Readings that are being stored or judged, over all tenants; past it 503.
    package var inFlightMax = 2_000_000
    /// Bytes of bodies that are being read, decoded and stored, over all tenants; past it 503.
    package var bytesInFlightMax = 256 << 20
    /// How long it is believed what the key of a line means.
    package var routeLife = Span.minutes(1)
    /// Readings per second of one tenant, in the middle of ten seconds; past it 429.
    ///
    /// 0: any number.
    package var tenantReadingsPerSecond = 0
    /// Which labels name the device, in order.
    package var deviceLabels = ["device", "device_id", "host", "dma_id"]
    /// Rows of a CSV file that are stored together.
    package var importChunk = 5_000
    /// How often a device's activity is written.
    package var activityInterval = Span.seconds(1)
    /// A device that was heard this long ago is heard again at once; of others the record may come a moment later.
    package var silenceMax = Span.seconds(10)
    /// Of a batch with more devices that are heard again, the record may come a moment later too.
    package static let newsMax = 1_000
    /// How often a device's readings go over the bus.
    package var liveInterval = Span.milliseconds(200)

    package init() {}
}

/// What became of a request.
package struct IngestReceipt: Codable, Sendable {
    /// Values that were stored; a reading may have several.
    package var accepted: Int
    /// Readings, lines or rows that were stored.
    package var readings: Int
    /// Readings, lines or rows that were refused.
    package var refused: Int
    /// The first refused ones.
    package var refusals: [Refusal]
    /// Whether handlers and rules have run.
    package var processed: Bool
}
