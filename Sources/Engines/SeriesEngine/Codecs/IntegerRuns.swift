/// Numbers that stay the same for a while, not written out yet: each number once, and how often it comes.
struct IntegerRuns {
    let numbers: [Int64]
    let lengths: [Int64]

    /// Reads what follows the tag of runs, which are `count` numbers in all.
    init(_ reader: inout ByteReader, count: Int) throws(ByteReader.Malformed) {
        let runs = try reader.count(limit: count)
        numbers = try IntegerCodec.decode(try reader.block(), count: runs)
        lengths = try IntegerCodec.decode(try reader.block(), count: runs)
        var rest = count
        for length in lengths {
            guard length > 0, length <= rest else { throw ByteReader.Malformed() }
            rest -= Int(length)
        }
        guard rest == 0 else { throw ByteReader.Malformed() }
    }

    /// Writes every number, or what `make` makes of it, as often as it comes.
    func expand<Value>(into target: UnsafeMutableBufferPointer<Value>, _ make: (Int64) -> Value) {
        guard let base = target.baseAddress else { return }
        var place = 0
        for index in numbers.indices {
            let (value, end) = (make(numbers[index]), place &+ Int(lengths[index]))
            // Runs are short: eight at once, and what is too much is overwritten by the next run.
            while place < end, place &+ 8 <= target.count {
                for lane in 0..<8 { base[place &+ lane] = value }
                place &+= 8
            }
            while place < end {
                base[place] = value
                place &+= 1
            }
            place = end
        }
    }

    /// How many numbers are at least `bound`.
    func count(atLeast bound: Int64) -> Int {
        var count = 0
        for index in numbers.indices where numbers[index] >= bound { count &+= Int(lengths[index]) }
        return count
    }
}
