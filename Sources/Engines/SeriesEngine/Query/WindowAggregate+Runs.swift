import VigilPorts

extension WindowAggregate {
    /// Shorter runs are taken one by one.
    private static let runMin = 4

    /// Adds samples that come next in time, several at once.
    mutating func add(
        _ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Double>, _ needs: WindowNeeds
    ) {
        if values.count >= Self.runMin, let run = Self.run(times, values, needs) {
            append(run)
        } else {
            for index in values.indices { add(times[index], values[index]) }
        }
    }

    /// `nil` where single values need a look: NaN is among them (one of which is no value), or a sum has overflowed.
    private static func run(
        _ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Double>, _ needs: WindowNeeds
    ) -> WindowAggregate? {
        let rough = sum(values)
        guard rough.isFinite else { return nil }
        var total = rough
        if needs.contains(.sum) {
            total = exactSum(values)
            guard total.isFinite else { return nil }
        }
        let mean = total / Double(values.count)
        let (least, greatest) = needs.contains(.bounds) ? bounds(values) : (.nan, .nan)
        return WindowAggregate(
            count: values.count, sum: total, average: mean, minimum: least, maximum: greatest, first: values[0],
            last: values[values.count - 1], firstTime: times[0], lastTime: times[times.count - 1],
            resets: needs.contains(.resets) ? resets(values) : 0,
            squares: needs.contains(.squares) ? squares(values, mean) : 0)
    }

    // Four sums side by side: each addition waits for the one before it, so one sum would use a part of the processor.

    @inline(__always)
    private static func four(_ values: UnsafeBufferPointer<Double>, _ index: Int) -> SIMD4<Double> {
        UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + index).loadUnaligned(as: SIMD4<Double>.self)
    }

    private static func sum(_ values: UnsafeBufferPointer<Double>) -> Double {
        var lanes = SIMD4<Double>.zero
        var index = 0
        while index &+ 4 <= values.count {
            lanes += four(values, index)
            index &+= 4
        }
        var sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
        while index < values.count {
            sum += values[index]
            index &+= 1
        }
        return sum
    }

    /// A sum that keeps what each addition rounds off (Knuth, "The Art of Computer Programming" 2, 4.2.2, theorem B).
    private static func exactSum(_ values: UnsafeBufferPointer<Double>) -> Double {
        var lanes = SIMD4<Double>.zero
        var lost = SIMD4<Double>.zero
        var index = 0
        while index &+ 4 <= values.count {
            let next = four(values, index)
            let sum = lanes + next
            let part = sum - lanes
            lost += (lanes - (sum - part)) + (next - part)
            lanes = sum
            index &+= 4
        }
        var aggregate = (total: 0.0, lost: (lost[0] + lost[1]) + (lost[2] + lost[3]))
        func add(_ next: Double) {
            let sum = aggregate.total + next
            let part = sum - aggregate.total
            aggregate.lost += (aggregate.total - (sum - part)) + (next - part)
            aggregate.total = sum
        }
        for lane in 0..<4 { add(lanes[lane]) }
        while index < values.count {
            add(values[index])
            index &+= 1
        }
        return aggregate.total + aggregate.lost
    }

    private static func squares(_ values: UnsafeBufferPointer<Double>, _ mean: Double) -> Double {
        var lanes = SIMD4<Double>.zero
        var index = 0
        while index &+ 4 <= values.count {
            let distance = four(values, index) - mean
            lanes += distance * distance
            index &+= 4
        }
        var sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
        while index < values.count {
            sum += (values[index] - mean) * (values[index] - mean)
            index &+= 1
        }
        return sum
    }

    private static func bounds(_ values: UnsafeBufferPointer<Double>) -> (Double, Double) {
        var least = SIMD4<Double>(repeating: values[0])
        var greatest = least
        var index = 0
        while index &+ 4 <= values.count {
            let next = four(values, index)
            least.replace(with: next, where: next .< least)
            greatest.replace(with: next, where: next .> greatest)
            index &+= 4
        }
        var (low, high) = (least.min(), greatest.max())
        while index < values.count {
            low = min(low, values[index])
            high = max(high, values[index])
            index &+= 1
        }
        return (low, high)
    }

    private static func resets(_ values: UnsafeBufferPointer<Double>) -> Double {
        var sum = 0.0
        var index = 1
        while index < values.count {
            sum += values[index] < values[index &- 1] ? values[index &- 1] : 0
            index &+= 1
        }
        return sum
    }
}
