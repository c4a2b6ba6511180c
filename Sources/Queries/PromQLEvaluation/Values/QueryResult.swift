package import VigilModel

/// The answer to a query.
package struct QueryResult: Sendable {
    package enum Value: Sendable {
        case scalar(QueryPoint)
        case string(Timestamp, String)
        case vector([QueryVectorItem])
        case matrix([QuerySeries])
    }

    package let value: Value
    /// What may make the answer other than meant, as Prometheus words it.
    package let warnings: [String]
    package let infos: [String]
}

package struct QueryPoint: Hashable, Sendable {
    package let time: Timestamp
    package let value: Double

    package init(time: Timestamp, value: Double) {
        self.time = time
        self.value = value
    }
}

package struct QueryVectorItem: Sendable {
    package let labels: LabelSet
    package let point: QueryPoint
}

package struct QuerySeries: Sendable {
    package let labels: LabelSet
    /// In order of time.
    package let points: [QueryPoint]
}
