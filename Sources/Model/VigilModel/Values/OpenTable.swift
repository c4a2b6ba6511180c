/// A key of an ``OpenTable``, which mixes its own bits.
public protocol OpenTableKey: Equatable, Sendable {
    /// The low bits choose the place: keys that they do not tell apart cost a look at each.
    var mixed: Int { get }
}

/// Finds values by keys that are cheap to mix: objects by their identity.
///
/// An open-addressed table, because it is asked for every source of every batch, where hashing for a dictionary costs
/// more than the rest. Values are added and replaced; only all of them together are forgotten.
///
/// Public, as nothing around it is, because the compiler makes special code of what is generic for other modules only then.
public struct OpenTable<Key: OpenTableKey, Value> {
    @usableFromInline var keys: [Key] = []
    @usableFromInline var values: [Value] = []
    /// Numbers of keys, or -1; its size is a power of two, at least twice the keys.
    @usableFromInline var places = [Int32](repeating: -1, count: 64)

    /// An empty table.
    @inlinable public init() {}

    /// How many keys have a value.
    @inlinable public var count: Int { keys.count }

    /// The value of a key, copied; `nil` when it has none.
    @inlinable public subscript(key: Key) -> Value? {
        let place = place(of: key)
        return places[place] < 0 ? nil : values[Int(places[place])]
    }

    /// Where the value of a key stands, until something is added or forgotten.
    @inlinable public func position(of key: Key) -> Int? {
        let place = place(of: key)
        return places[place] < 0 ? nil : Int(places[place])
    }

    /// The value at a position, in its place: of what holds objects, only what is taken out of it is copied.
    @inlinable public subscript(at position: Int) -> Value {
        _read { yield values[position] }
    }

    /// Adds the value, or puts it in the place of the one that the key has.
    @inlinable public mutating func put(_ value: Value, for key: Key) {
        let place = place(of: key)
        guard places[place] < 0 else {
            values[Int(places[place])] = value
            return
        }
        places[place] = Int32(keys.count)
        keys.append(key)
        values.append(value)
        if keys.count * 2 > places.count { grow() }
    }

    /// Forgets everything, and gives the memory back.
    @inlinable public mutating func removeAll() { self = OpenTable() }

    /// Where the key stands, or the free place where it belongs.
    @inlinable func place(of key: Key) -> Int {
        var place = key.mixed & (places.count - 1)
        while places[place] >= 0, keys[Int(places[place])] != key { place = (place + 1) & (places.count - 1) }
        return place
    }

    @inlinable mutating func grow() {
        places = [Int32](repeating: -1, count: places.count * 2)
        for (number, key) in keys.enumerated() { places[place(of: key)] = Int32(number) }
    }
}

extension OpenTable: Sendable where Value: Sendable {}

/// Two objects by their identity; the second may be missing.
///
/// Whoever fills a table with such keys keeps the objects alive, best in the value itself.
public struct ObjectPair: OpenTableKey {
    @usableFromInline let first: UInt
    @usableFromInline let second: UInt

    /// - Parameter second: Missing for a key of one object.
    @inlinable public init(_ first: ObjectIdentifier, _ second: ObjectIdentifier? = nil) {
        self.first = UInt(bitPattern: first)
        self.second = second.map { UInt(bitPattern: $0) } ?? 0
    }

    /// Objects lie 16 bytes apart, and near each other.
    @inlinable public var mixed: Int {
        let mixed = (first >> 4 ^ (second << 20 | second >> 44)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32)
    }
}
