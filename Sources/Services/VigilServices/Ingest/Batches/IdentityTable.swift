/// Finds what is known of an object, or of two together, by their identity.
///
/// An open-addressed table, because it is asked for every source of every batch, where hashing for a dictionary costs
/// more than the rest. Whoever fills it keeps the objects alive, best in the value itself.
struct IdentityTable<Value> {
    private struct Key: Equatable {
        let first: UInt
        let second: UInt

        /// Objects lie 16 bytes apart, and near each other.
        var hash: Int {
            let mixed = (first >> 4 ^ (second << 20 | second >> 44)) &* 0x9E37_79B9_7F4A_7C15
            return Int(truncatingIfNeeded: mixed >> 32)
        }
    }

    private var keys: [Key] = []
    private var values: [Value] = []
    /// Numbers of keys, or -1; its size is a power of two, at least twice the keys.
    private var places = [Int32](repeating: -1, count: 64)

    var count: Int { keys.count }

    /// What is known of two objects; the second may be missing.
    subscript(first: ObjectIdentifier, second: ObjectIdentifier? = nil) -> Value? {
        get {
            let place = place(of: Self.key(first, second))
            return places[place] < 0 ? nil : values[Int(places[place])]
        }
        set {
            guard let newValue else { return }
            let key = Self.key(first, second)
            let place = place(of: key)
            guard places[place] < 0 else {
                values[Int(places[place])] = newValue
                return
            }
            places[place] = Int32(keys.count)
            keys.append(key)
            values.append(newValue)
            if keys.count * 2 > places.count { grow() }
        }
    }

    mutating func removeAll() { self = IdentityTable() }

    /// Where the key stands, or the free place where it belongs.
    private func place(of key: Key) -> Int {
        var place = key.hash & (places.count - 1)
        while places[place] >= 0, keys[Int(places[place])] != key { place = (place + 1) & (places.count - 1) }
        return place
    }

    private mutating func grow() {
        places = [Int32](repeating: -1, count: places.count * 2)
        for (number, key) in keys.enumerated() { places[place(of: key)] = Int32(number) }
    }

    private static func key(_ first: ObjectIdentifier, _ second: ObjectIdentifier?) -> Key {
        Key(first: UInt(bitPattern: first), second: second.map { UInt(bitPattern: $0) } ?? 0)
    }
}
