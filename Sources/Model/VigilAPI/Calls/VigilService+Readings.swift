public import Foundation

/// One page of a list, and where the next begins.
public struct Page<Item: Decodable & Sendable>: Decodable, Sendable {
    /// The items.
    public let items: [Item]
    /// Pass it as `cursor` for the next page; absent on the last.
    public let next: String?
}

extension VigilService {
    /// Writes readings; what is accepted is on disk when this returns.
    ///
    /// - Throws: ``VigilError`` when nothing was taken: the same readings may be sent again.
    @discardableResult
    public func write(_ readings: [Reading]) async throws -> WriteReceipt {
        try await fetch(
            Call("POST", "/api/readings", body: try Self.json(readings)), as: WriteReceipt.self)
    }

    /// Writes line protocol, with times in nanoseconds.
    ///
    /// - Throws: ``VigilError`` naming the lines that were refused; the other lines are kept.
    public func write(lineProtocol lines: String) async throws {
        try await succeed(
            Call("POST", "/api/v2/write", body: Array(lines.utf8), contentType: "text/plain; charset=utf-8"))
    }

    /// Readings of a device, newest first.
    ///
    /// - Parameters:
    ///   - device: Code or identifier.
    ///   - metric: Only readings that have it.
    ///   - from: The earliest time.
    ///   - to: The time before which they lie.
    ///   - cursor: The `next` of the page before.
    ///   - limit: At most 500.
    public func readings(
        ofDevice device: String, metric: String? = nil, from: Date? = nil, to: Date? = nil, cursor: String? = nil,
        limit: Int = 50
    ) async throws -> Page<StoredReading> {
        var query: [(name: String, value: String)] = [("limit", String(limit))]
        if let metric { query.append(("metric", metric)) }
        if let from { query.append(("from", MomentText.text(of: from))) }
        if let to { query.append(("to", MomentText.text(of: to))) }
        if let cursor { query.append(("cursor", cursor)) }
        return try await fetch(
            Call("GET", "/api/devices/\(PathText.encoded(device))/readings", query: query), as: Page<StoredReading>.self
        )
    }

    /// The newest value of each metric of a device.
    public func latest(ofDevice device: String) async throws -> [LatestValue] {
        try await fetch(
            Call("GET", "/api/devices/\(PathText.encoded(device))/latest"), as: Page<LatestValue>.self
        ).items
    }

    /// Asks in PromQL for one instant; now when no time is given.
    public func query(_ promQL: String, at time: Date? = nil) async throws -> QueryAnswer {
        var items: [(name: String, value: String)] = [("query", promQL)]
        if let time { items.append(("time", MomentText.text(of: time))) }
        return try await fetch(Call("GET", "/api/v1/query", query: items), as: QueryAnswer.self)
    }

    /// Asks in PromQL for a range of time, one value every `stepSeconds`.
    public func query(_ promQL: String, from: Date, to: Date, stepSeconds: Double) async throws -> QueryAnswer {
        try await fetch(
            Call(
                "GET", "/api/v1/query_range",
                query: [
                    ("query", promQL), ("start", MomentText.text(of: from)), ("end", MomentText.text(of: to)),
                    ("step", String(stepSeconds)),
                ]), as: QueryAnswer.self)
    }
}

/// Texts in paths.
enum PathText {
    static func encoded(_ text: String) -> String {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }
}
