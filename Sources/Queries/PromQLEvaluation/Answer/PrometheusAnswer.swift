import VigilModel

/// Writes results as the JSON of the Prometheus HTTP interface.
///
/// Written by hand instead of through an encoder: a chart's answer is hundreds of thousands of numbers.
package enum PrometheusAnswer {
    /// The answer to `/api/v1/query` and `/api/v1/query_range`.
    package static func bytes(_ result: QueryResult) -> [UInt8] {
        var json = JSONBytes(capacity: capacity(for: result))
        json.raw("{\"status\":\"success\",\"data\":{\"resultType\":")
        switch result.value {
        case .scalar(let point):
            json.raw("\"scalar\",\"result\":")
            json.point(point)
        case .string(let time, let text):
            json.raw("\"string\",\"result\":[")
            json.seconds(time)
            json.raw(",")
            json.text(text)
            json.raw("]")
        case .vector(let items):
            json.raw("\"vector\",\"result\":")
            json.list(items) { json, item in
                json.raw("{\"metric\":")
                json.labels(item.labels)
                json.raw(",\"value\":")
                json.point(item.point)
                json.raw("}")
            }
        case .matrix(let series):
            json.raw("\"matrix\",\"result\":[")
            for index in series.indices {
                json.raw(index == 0 ? "{\"metric\":" : ",{\"metric\":")
                json.labels(series[index].labels)
                json.raw(",\"values\":")
                json.points(series[index].points)
                json.raw("}")
            }
            json.raw("]")
        }
        json.end(warnings: result.warnings, infos: result.infos)
        return json.bytes
    }

    /// The answer to `/api/v1/query_range`, of what there is at each step.
    static func bytes(_ series: [StepSeries], _ grid: StepGrid, warnings: [String], infos: [String]) -> [UInt8] {
        var json = JSONBytes(capacity: 512 + series.count * (192 + grid.count * 36))
        json.raw("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[")
        let isAlone = series.count <= 1
        let moments = PointMoments((0..<(isAlone ? 0 : grid.count)).lazy.map { Timestamp(microseconds: grid[$0]) })
        var isFirst = true
        for item in series {
            // Where it has no value at all there is no series.
            guard let first = item.values.firstIndex(where: { !StepSeries.isAbsent($0) }) else { continue }
            json.raw(isFirst ? "{\"metric\":" : ",{\"metric\":")
            isFirst = false
            json.labels(item.labels)
            json.raw(",\"values\":[")
            for step in first..<item.values.count where !StepSeries.isAbsent(item.values[step]) {
                if step > first { json.raw(",") }
                if isAlone {
                    json.point(Timestamp(microseconds: grid[step]), item.values[step], NumberText.of)
                } else {
                    json.point(moments, step, item.values[step], NumberText.of)
                }
            }
            json.raw("]}")
        }
        json.raw("]")
        json.end(warnings: warnings, infos: infos)
        return json.bytes
    }

    /// About what an answer takes: whoever grows to it copies it on the way.
    private static func capacity(for result: QueryResult) -> Int {
        switch result.value {
        case .scalar, .string: 512
        case .vector(let items): 512 + items.count * 192
        case .matrix(let series): series.reduce(512) { $0 + 192 + $1.points.count * 36 }
        }
    }

    /// An answer whose data is a list of texts: label names and values.
    package static func bytes(_ texts: [String]) -> [UInt8] {
        success { $0.list(texts) { $0.text($1) } }
    }

    /// The answer to `/api/v1/series`.
    package static func bytes(_ series: [LabelSet]) -> [UInt8] {
        success { $0.list(series) { $0.labels($1) } }
    }

    /// The answer to `/api/v1/metadata`: nothing is known of a metric but its name.
    package static func metadata(_ metrics: [String]) -> [UInt8] {
        success { json in
            json.raw("{")
            for (index, metric) in metrics.enumerated() {
                if index > 0 { json.raw(",") }
                json.text(metric)
                json.raw(":[{\"type\":\"unknown\",\"help\":\"\",\"unit\":\"\"}]")
            }
            json.raw("}")
        }
    }

    /// An answer whose data is an object of texts.
    package static func bytes(_ members: [(name: String, value: String)]) -> [UInt8] {
        success { json in
            json.raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { json.raw(",") }
                json.text(member.name)
                json.raw(":")
                json.text(member.value)
            }
            json.raw("}")
        }
    }

    /// The answer to a query that has none.
    package static func bytes(_ error: QueryError) -> [UInt8] {
        var json = JSONBytes()
        json.raw("{\"status\":\"error\",\"errorType\":")
        json.text(error.kind.rawValue)
        json.raw(",\"error\":")
        json.text(error.message)
        json.raw("}")
        return json.bytes
    }

    /// Labels as an object.
    static func json(_ labels: LabelSet) -> [UInt8] {
        var json = JSONBytes(capacity: 192)
        json.labels(labels)
        return json.bytes
    }

    private static func success(_ data: (inout JSONBytes) -> Void) -> [UInt8] {
        var json = JSONBytes()
        json.raw("{\"status\":\"success\",\"data\":")
        data(&json)
        json.raw("}")
        return json.bytes
    }
}

extension JSONBytes {
    /// Ends an answer whose data is an object.
    fileprivate mutating func end(warnings: [String], infos: [String]) {
        raw("}")
        for (name, messages) in [("warnings", warnings), ("infos", infos)] where !messages.isEmpty {
            raw(",\"\(name)\":")
            list(messages) { $0.text($1) }
        }
        raw("}")
    }

    fileprivate mutating func labels(_ labels: LabelSet) {
        if let known = labels.known { return raw(known.json) }
        raw("{")
        for (index, pair) in labels.pairs.enumerated() {
            if index > 0 { raw(",") }
            text(pair.name)
            raw(":")
            text(pair.value)
        }
        raw("}")
    }

    fileprivate mutating func point(_ point: QueryPoint) {
        self.point(point.time, point.value, NumberText.of)
    }

    fileprivate mutating func points(_ points: [QueryPoint]) {
        raw("[")
        for index in points.indices {
            if index > 0 { raw(",") }
            point(points[index])
        }
        raw("]")
    }

    /// Seconds with up to six digits behind the point.
    fileprivate mutating func seconds(_ time: Timestamp) {
        let (whole, rest) = time.microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        if time.microseconds < 0 { raw("-") }
        digits(whole)
        guard rest != 0 else { return }
        raw(".")
        var (places, fraction) = (6, rest)
        while fraction % 10 == 0 {
            fraction /= 10
            places -= 1
        }
        digits(fraction, atLeast: places)
    }
}
