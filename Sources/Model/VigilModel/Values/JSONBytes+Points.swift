extension JSONBytes {
    /// A moment and a number as `[1700000000.5,"21.5"]`: seconds with up to six digits behind the point.
    ///
    /// A chart has thousands of them, so each is put together beside the answer and added at once.
    ///
    /// - Parameter text: Writes a number that is no short decimal.
    package mutating func point(_ time: Timestamp, _ value: Double, _ text: (Double) -> String) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: PointText.bytesMax) { buffer in
            var point = PointText(buffer)
            point.add(UInt8(ascii: "["))
            if time.microseconds < 0 { point.add(UInt8(ascii: "-")) }
            point.add(millionths: time.microseconds.magnitude)
            point.add(UInt8(ascii: ","))
            point.add(UInt8(ascii: "\""))
            if let scaled = Self.millionths(value) {
                if value < 0 { point.add(UInt8(ascii: "-")) }
                point.add(millionths: scaled)
            } else {
                var written = text(value)
                written.withUTF8 { point.add($0) }
            }
            point.add(UInt8(ascii: "\""))
            point.add(UInt8(ascii: "]"))
            append(point.written)
        }
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
