/// Objects by numbers that are given one after the other, from 1.
struct NumberedTable<Value: AnyObject> {
    private var values: [Value?] = []
    /// How many numbers have an object.
    private(set) var count = 0

    /// The highest number that was given.
    var last: UInt32 { UInt32(values.count) }

    /// Numbers that may be missing before one: damage takes some away, but a number far from all others is none of ours.
    private static var gapMax: Int { 1 << 24 }

    subscript(number: UInt32) -> Value? {
        number > 0 && number <= UInt32(values.count) ? values[Int(number) - 1] : nil
    }

    /// Whether there may be such a number.
    func takes(_ number: UInt32) -> Bool { number > 0 && Int(number) <= values.count + Self.gapMax }

    /// Puts an object where none is yet.
    mutating func put(_ value: Value, at number: UInt32) {
        count += 1
        if number == UInt32(values.count) + 1 { return values.append(value) }
        while values.count < Int(number) { values.append(nil) }
        values[Int(number) - 1] = value
    }

    /// The objects with higher numbers, in their order.
    func after(_ number: UInt32) -> some Sequence<Value> {
        values[min(Int(number), values.count)...].lazy.compactMap { $0 }
    }
}
