extension JSONBytes {
    /// A moment and a number as `[1700000000.5,"21.5"]`: seconds with up to six digits behind the point.
    ///
    /// A chart has thousands of them, so each is put together beside the answer and added at once.
    ///
    /// - Parameter text: Writes a number that is no short decimal.
    package mutating func point(_ time: Timestamp, _ value: Double, _ text: (Double) -> String) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: PointText.bytesMax) { buffer in
            var point = PointText(buffer)
            point.add(beginning: time)
            point.add(value, text)
            append(point.written)
        }
    }

    /// The same at one of moments that were written before.
    package mutating func point(
        _ moments: PointMoments, _ place: Int, _ value: Double, _ text: (Double) -> String
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: PointText.bytesMax) { buffer in
            var point = PointText(buffer)
            moments.withBytes(of: place) { point.add($0) }
            point.add(value, text)
            append(point.written)
        }
    }
}

/// How points begin, written once for all series that have one at the same moments.
package struct PointMoments: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = [0]

    package init(_ times: some Collection<Timestamp>) {
        bytes.reserveCapacity(times.count * 16)
        ends.reserveCapacity(times.count + 1)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: PointText.bytesMax) { buffer in
            for time in times {
                var point = PointText(buffer)
                point.add(beginning: time)
                bytes += point.written
                ends.append(bytes.count)
            }
        }
    }

    fileprivate func withBytes(of place: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[ends[place]..<ends[place + 1]])) }
    }
}

/// Bytes that are put together in memory of a fixed size.
private struct PointText {
    /// Seconds take 21 bytes, a number at most 40; what is longer is cut off.
    static let bytesMax = 96

    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: buffer[..<count]) }

    mutating func add(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes.prefix(48) { add(byte) }
    }

    /// The bracket, the seconds, the comma and the quotation mark.
    mutating func add(beginning time: Timestamp) {
        add(UInt8(ascii: "["))
        if time.microseconds < 0 { add(UInt8(ascii: "-")) }
        add(millionths: time.microseconds.magnitude)
        add(UInt8(ascii: ","))
        add(UInt8(ascii: "\""))
    }

    /// The number and what ends the point.
    mutating func add(_ value: Double, _ text: (Double) -> String) {
        if let scaled = JSONBytes.millionths(value) {
            if value < 0 { add(UInt8(ascii: "-")) }
            add(millionths: scaled)
        } else {
            var written = text(value)
            written.withUTF8 { add($0) }
        }
        add(UInt8(ascii: "\""))
        add(UInt8(ascii: "]"))
    }

    /// A number of millionths as a decimal without zeros at its end.
    mutating func add(millionths: UInt64) {
        var (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        var places = 1
        var bound: UInt64 = 10
        while places < 19, whole >= bound {
            bound *= 10
            places += 1
        }
        for place in stride(from: count + places - 1, through: count, by: -1) {
            buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: whole % 10)
            whole /= 10
        }
        count += places
        guard rest != 0 else { return }
        add(UInt8(ascii: "."))
        places = 6
        while rest % 10 == 0 {
            rest /= 10
            places -= 1
        }
        for place in stride(from: count + places - 1, through: count, by: -1) {
            buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += places
    }
}
