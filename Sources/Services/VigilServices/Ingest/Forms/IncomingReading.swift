import VigilModel

/// One reading as a decoder found it, before anybody knows the device.
struct IncomingReading: Sendable {
    /// Where it stands in what was sent, from 1: a line, or the place in a list.
    var line: Int
    /// What the sender calls the device; `nil` when the reading names none.
    var reference: String?
    var labels = Labels.none
    var metric: String?
    var readingType: String?
    var unit: String?
    var time: Timestamp?
    var value: JSONValue
    /// 0 to 100, when the sender says how far it can be trusted.
    var quality: UInt8?
    /// The bytes of the object as sent.
    var raw: String?
}

/// A reading, a line or a row that was refused, and why.
package struct Refusal: Codable, Sendable, Hashable {
    /// Counted from 1 in what was sent.
    package var line: Int
    /// A stable code: `time.future`, `device.inactive`.
    package var code: String
    package var reason: String

    package init(line: Int, code: StaticString, reason: String) {
        self.line = line
        self.code = code.description
        self.reason = reason
    }

    init(line: Int, error: ServiceError) {
        self.line = line
        code = error.code
        reason = error.message
    }
}

/// The first refused readings, and how many there were.
struct Refusals: Sendable {
    private(set) var first: [Refusal] = []
    private(set) var count = 0
    let limit: Int

    init(limit: Int = 100) {
        self.limit = limit
    }

    mutating func add(_ refusal: Refusal, times: Int = 1) {
        count += times
        if first.count < limit { first.append(refusal) }
    }

    mutating func add(_ others: Refusals) {
        for refusal in others.first { add(refusal) }
        count += others.count - others.first.count
    }

    /// Puts what is described into the order of the lines.
    mutating func sort() {
        guard zip(first, first.dropFirst()).contains(where: { $0.line > $1.line }) else { return }
        // Stable: of one line, what was found first stays first.
        first = first.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
    }
}
