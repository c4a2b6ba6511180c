import Foundation

extension VigilService {
    /// Sends a call and decodes its JSON answer.
    ///
    /// - Throws: ``VigilError`` with the server's code and sentence when it refused.
    public func fetch<Value: Decodable>(_ call: Call, as type: Value.Type) async throws -> Value {
        let body = try await succeed(call)
        do {
            return try Self.decoder.decode(type, from: Data(body))
        } catch let error as DecodingError {
            throw VigilError(code: "client.answer", message: "The answer has another form: \(error).")
        }
    }

    /// Sends a call whose answer does not matter as long as it is no refusal, and gives the answer's bytes.
    ///
    /// - Throws: ``VigilError`` with the server's code and sentence when it refused.
    @discardableResult
    public func succeed(_ call: Call) async throws -> [UInt8] {
        let answer = try await send(call)
        let body = try await answer.bytes()
        guard (200..<300).contains(answer.status) else {
            throw try Self.refusal(answer.status, body)
        }
        return body
    }

    static func refusal(_ status: Int, _ body: [UInt8]) throws -> VigilError {
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(body))
        return VigilError(
            code: problem?.code ?? "http.\(status)",
            message: problem?.detail ?? problem?.error ?? problem?.message ?? "The answer was \(status).",
            status: status)
    }

    static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(MomentText.text(of: date))
        }
        return Array(try encoder.encode(value))
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = MomentText.date(of: text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
            }
            return date
        }
        return decoder
    }
}

/// A refusal: problem+json, or what Prometheus' and InfluxDB's clients expect.
private struct Problem: Decodable {
    var code: String?
    var detail: String?
    var error: String?
    var message: String?
}

/// Times as the interface writes them: RFC 3339 in UTC, to the microsecond.
enum MomentText {
    static func text(of date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
        let seconds = microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
        let fraction = microseconds - seconds * 1_000_000
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        guard fraction != 0 else { return whole }
        let digits = String(fraction)
        return whole.dropLast() + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }

    /// `nil` for a text that is no RFC 3339 time in UTC.
    static func date(of text: String) -> Date? {
        guard let dot = text.firstIndex(of: ".") else { return try? Date(text, strategy: .iso8601) }
        let end = text[dot...].dropFirst().firstIndex { !$0.isNumber } ?? text.endIndex
        let digits = text[text.index(after: dot)..<end]
        guard let fraction = Double("0." + digits),
            let whole = try? Date(text[..<dot] + text[end...], strategy: .iso8601)
        else { return nil }
        return whole.addingTimeInterval(fraction)
    }
}
