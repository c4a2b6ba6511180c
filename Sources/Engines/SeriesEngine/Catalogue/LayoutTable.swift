import VigilModel

/// Finds the layout of a source and a list of fields by the identity of the two objects, without looking into them.
///
/// An open-addressed table, because it is asked for every source of every batch. It keeps the objects alive, so that
/// their identities stay their own.
struct LayoutTable {
    private struct Key: Equatable {
        let source: UInt
        let shape: UInt
        let tenant: TenantID
        let hasQuality: Bool

        /// Objects lie 16 bytes apart, and near each other.
        var hash: Int {
            let mixed = (source >> 4 ^ (shape << 20 | shape >> 44)) &* 0x9E37_79B9_7F4A_7C15
            return Int(truncatingIfNeeded: mixed >> 32)
        }
    }

    private var keys: [Key] = []
    private var layouts: [RowLayout] = []
    private var kept: [(SeriesSource, RowShape)] = []
    /// Numbers of keys, or -1; its size is a power of two, at least twice the keys.
    private var places = [Int32](repeating: -1, count: 64)

    /// Past this many, everything is forgotten, and found again by content.
    static let countMax = 1 << 18
    var count: Int { keys.count }

    func find(_ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID, hasQuality: Bool) -> RowLayout? {
        let key = Self.key(source, shape, tenant, hasQuality)
        var place = key.hash & (places.count - 1)
        while places[place] >= 0 {
            let number = Int(places[place])
            if keys[number] == key { return layouts[number] }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// Adds a layout that is not there yet.
    mutating func add(_ layout: RowLayout, _ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID) {
        keys.append(Self.key(source, shape, tenant, layout.hasQuality))
        layouts.append(layout)
        kept.append((source, shape))
        if keys.count * 2 > places.count {
            places = [Int32](repeating: -1, count: places.count * 2)
            for number in keys.indices { put(number) }
        } else {
            put(keys.count - 1)
        }
    }

    private mutating func put(_ number: Int) {
        var place = keys[number].hash & (places.count - 1)
        while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
        places[place] = Int32(number)
    }

    private static func key(
        _ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID, _ hasQuality: Bool
    ) -> Key {
        Key(
            source: UInt(bitPattern: ObjectIdentifier(source)), shape: UInt(bitPattern: ObjectIdentifier(shape)),
            tenant: tenant, hasQuality: hasQuality)
    }
}
