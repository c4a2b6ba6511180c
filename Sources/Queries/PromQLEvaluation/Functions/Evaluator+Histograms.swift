import PromQL

extension Evaluator {
    /// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction` over classic histograms: series with a label
    /// `le`, each counting what is at most that bound.
    func histogram(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        switch call.function.name {
        case "histogram_quantile":
            let quantiles = try scalar(call.arguments[0], on: grid)
            warnAboutQuantile(quantiles, at: call.arguments[0])
            return try eachHistogram(call.arguments[1], on: grid) { buckets, step in
                self.quantile(quantiles[step], buckets, at: call.arguments[1])
            }
        case "histogram_fraction":
            let lower = try scalar(call.arguments[0], on: grid)
            let upper = try scalar(call.arguments[1], on: grid)
            return try eachHistogram(call.arguments[2], on: grid) { buckets, step in
                Buckets.fraction(buckets, from: lower[step], to: upper[step])
            }
        default:
            let label = try string(call.arguments[1])
            var result: [StepSeries] = []
            for argument in call.arguments.dropFirst(2) {
                let quantiles = try scalar(argument, on: grid)
                warnAboutQuantile(quantiles, at: argument)
                var series = try eachHistogram(call.arguments[0], on: grid) { buckets, step in
                    self.quantile(quantiles[step], buckets, at: call.arguments[0])
                }
                for index in series.indices {
                    series[index].labels.set(label, to: NumberText.of(quantiles.first ?? .nan))
                }
                result += series
            }
            return result
        }
    }

    private func quantile(_ quantile: Double, _ buckets: [Buckets.Bucket], at argument: Expression) -> Double? {
        var buckets = buckets
        if Buckets.makeMonotonic(&buckets) {
            context.inform("input to histogram_quantile needed to be fixed for monotonicity", at: argument)
        }
        return Buckets.quantile(quantile, buckets)
    }

    private func eachHistogram(
        _ argument: Expression, on grid: StepGrid, _ value: ([Buckets.Bucket], Int) -> Double?
    ) throws(QueryError) -> [StepSeries] {
        var places: [LabelSet: Int] = [:]
        var groups: [(labels: LabelSet, members: [(bound: Double, series: StepSeries)])] = []
        for series in try vector(argument, on: grid) {
            let text = series.labels["le"]
            guard let bound = Double(text == "+Inf" || text == "Inf" ? "inf" : text) else {
                context.warn("bucket label \"le\" is missing or has a malformed value of \"\(text)\"", at: argument)
                continue
            }
            let labels = series.labels.removing(["le"])
            if let place = places[labels] {
                groups[place].members.append((bound, series))
            } else {
                places[labels] = groups.count
                groups.append((labels, [(bound, series)]))
            }
        }
        var result: [StepSeries] = []
        for group in groups {
            try context.check()
            var values = [Double](repeating: StepSeries.absent, count: grid.count)
            for step in 0..<grid.count {
                let buckets = group.members.filter { !StepSeries.isAbsent($0.series.values[step]) }
                    .map { Buckets.Bucket(bound: $0.bound, count: $0.series.values[step]) }
                    .sorted { $0.bound < $1.bound }
                guard !buckets.isEmpty, let value = value(buckets, step) else { continue }
                values[step] = value
            }
            let series = StepSeries(labels: group.labels, dropsName: true, values: values)
            if !series.isEmpty { result.append(series) }
        }
        return result
    }
}

/// Arithmetic on the cumulative buckets of a classic histogram.
enum Buckets {
    struct Bucket {
        let bound: Double
        var count: Double
    }

    /// Joins buckets of one bound and lifts counts that fall; whether a fall was more than rounding.
    static func makeMonotonic(_ buckets: inout [Bucket]) -> Bool {
        var joined: [Bucket] = []
        for bucket in buckets {
            if let last = joined.last, last.bound == bucket.bound {
                joined[joined.count - 1].count += bucket.count
            } else {
                joined.append(bucket)
            }
        }
        var wasFixed = false
        for index in joined.indices.dropFirst() where joined[index].count < joined[index - 1].count {
            let (previous, current) = (joined[index - 1].count, joined[index].count)
            if (previous - current) > 1e-12 * (abs(previous) + abs(current)) { wasFixed = true }
            joined[index].count = previous
        }
        buckets = joined
        return wasFixed
    }

    /// The quantile by linear interpolation inside the bucket that it falls into.
    static func quantile(_ quantile: Double, _ buckets: [Bucket]) -> Double {
        if quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        guard buckets.count >= 2, let last = buckets.last, last.bound == .infinity, last.count != 0, !last.count.isNaN
        else {
            return .nan
        }
        let rank = quantile * last.count
        let index = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
        if index == buckets.count - 1 { return buckets[buckets.count - 2].bound }
        if index == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        let start = index > 0 ? buckets[index - 1].bound : 0
        let below = index > 0 ? buckets[index - 1].count : 0
        let inside = buckets[index].count - below
        guard inside > 0 else { return buckets[index].bound }
        return start + (buckets[index].bound - start) * ((rank - below) / inside)
    }

    /// The share of observations between two bounds.
    static func fraction(_ buckets: [Bucket], from lower: Double, to upper: Double) -> Double {
        var buckets = buckets
        _ = makeMonotonic(&buckets)
        guard let last = buckets.last, last.bound == .infinity, last.count != 0, !lower.isNaN, !upper.isNaN else {
            return .nan
        }
        guard lower < upper else { return 0 }
        return (rank(of: upper, buckets) - rank(of: lower, buckets)) / last.count
    }

    /// How many observations are at most `value`, by linear interpolation.
    private static func rank(of value: Double, _ buckets: [Bucket]) -> Double {
        if value == .infinity { return buckets.last?.count ?? 0 }
        if value == -.infinity { return 0 }
        var start = buckets.first.map { $0.bound > 0 ? 0 : -Double.infinity } ?? 0
        var below = 0.0
        for bucket in buckets {
            if value <= bucket.bound {
                if bucket.bound == value { return bucket.count }
                guard value > start, start.isFinite else { return below }
                guard bucket.bound.isFinite else { return below }
                return below + (bucket.count - below) * (value - start) / (bucket.bound - start)
            }
            start = bucket.bound
            below = bucket.count
        }
        return below
    }
}
