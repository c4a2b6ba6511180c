public import Foundation

/// What a PromQL question was answered: series with their samples.
public struct QueryAnswer: Sendable, Hashable {
    /// One series of the answer.
    public struct Series: Sendable, Hashable {
        /// Its labels, the metric's name as `__name__`.
        public let labels: [String: String]
        /// Its samples by time: one for an instant, any number for a range.
        public let samples: [Sample]
    }

    /// A value at a time.
    public struct Sample: Sendable, Hashable {
        /// The time.
        public let time: Date
        /// The value; may be NaN or infinite.
        public let value: Double
    }

    /// The series, in the order of the answer; a scalar is one series without labels.
    public let series: [Series]
}

extension QueryAnswer: Decodable {
    private enum Key: String, CodingKey { case data, resultType, result, metric, value, values }

    /// Reads the answer of Prometheus' HTTP API.
    public init(from decoder: any Decoder) throws {
        let top = try decoder.container(keyedBy: Key.self)
        let data = try top.nestedContainer(keyedBy: Key.self, forKey: .data)
        switch try data.decode(String.self, forKey: .resultType) {
        case "scalar":
            series = [Series(labels: [:], samples: [try data.decode(Pair.self, forKey: .result).sample])]
        case "vector":
            series = try data.decode([Vector].self, forKey: .result).map {
                Series(labels: $0.metric, samples: [$0.value.sample])
            }
        case "matrix":
            series = try data.decode([Matrix].self, forKey: .result).map {
                Series(labels: $0.metric, samples: $0.values.map(\.sample))
            }
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .resultType, in: data, debugDescription: "an answer that is no numbers")
        }
    }

    private struct Vector: Decodable {
        let metric: [String: String]
        let value: Pair
    }

    private struct Matrix: Decodable {
        let metric: [String: String]
        let values: [Pair]
    }

    /// `[seconds, "value"]`.
    private struct Pair: Decodable {
        let sample: Sample

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            let seconds = try list.decode(Double.self)
            let text = try list.decode(String.self)
            let value: Double? =
                switch text {
                case "NaN": .nan
                case "+Inf": .infinity
                case "-Inf": -.infinity
                default: Double(text)
                }
            guard let value else {
                throw DecodingError.dataCorruptedError(in: list, debugDescription: "not a number")
            }
            sample = Sample(time: Date(timeIntervalSince1970: seconds), value: value)
        }
    }
}
