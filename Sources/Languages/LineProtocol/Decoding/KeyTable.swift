import VigilModel

/// The keys of one request, each with the number of its source.
///
/// An open-addressed table over the hash of the bytes as written. The first line of a key asks the shared cache, then the
/// resolver; every further line costs one comparison of bytes.
struct KeyTable {
    private struct Entry {
        let hash: UInt64
        let start: Int
        let count: Int32
        /// The number of the source, or of the refusal as -1 - number.
        let slot: Int32
    }

    /// The sources in the order in which they first came.
    private(set) var sources: [SeriesSource?] = []
    private var refusals: [LineReason] = []
    private var entries: [Entry] = []
    /// Numbers of entries, or -1; its size is a power of two, at least twice the entries.
    private var places = [Int32](repeating: -1, count: 64)
    private var bytes: [UInt8] = []

    private let cache: LineSourceCache
    private let generation: Int
    private let limits: LineLimits
    private let resolver: LineDecoder.Resolver

    init(cache: LineSourceCache, limits: LineLimits, resolver: @escaping LineDecoder.Resolver) {
        self.cache = cache
        self.limits = limits
        self.resolver = resolver
        generation = cache.generation
    }

    /// The number of the source that the bytes from `start` to `end` mean.
    @inline(__always)
    mutating func slot(_ cursor: ByteCursor, from start: Int, to end: Int) throws(LineFault) -> Int32 {
        let hash = cursor.hash(from: start, to: end, seed: cache.seed)
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] >= 0 {
            let entry = entries[Int(places[place])]
            if entry.hash == hash, Int(entry.count) == end - start, isSame(entry, cursor, start) {
                if entry.slot < 0 { throw LineFault(refusals[Int(-1 - entry.slot)], at: start) }
                return entry.slot
            }
            place = (place + 1) & mask
        }
        return try add(cursor, from: start, to: end, hash: hash, place: place)
    }

    @inline(__always)
    private func isSame(_ entry: Entry, _ cursor: ByteCursor, _ start: Int) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            var cursor = cursor
            cursor.position = start
            return cursor.matches(base + entry.start, count: Int(entry.count))
        }
    }

    @inline(never)
    private mutating func add(
        _ cursor: ByteCursor, from start: Int, to end: Int, hash: UInt64, place: Int
    ) throws(LineFault) -> Int32 {
        let key = cursor.bytes(from: start, to: end)
        if let source = cache.source(hash: hash, key: key) {
            return insert(key, hash: hash, place: place, source: source)
        }
        let parsed = try LineKey(cursor, from: start, to: end, limits: limits)
        let resolution: LineResolution
        do {
            resolution = try resolver(parsed.measurement, parsed.labels)
        } catch {
            refusals.append(error)
            insert(key, hash: hash, place: place, slot: -Int32(refusals.count))
            throw LineFault(error, at: start)
        }
        switch resolution {
        case .once(let source): return insert(key, hash: hash, place: place, source: source)
        case .keep(let source):
            let kept = cache.remember(source, hash: hash, key: key, generation: generation)
            return insert(key, hash: hash, place: place, source: kept)
        }
    }

    private mutating func insert(
        _ key: UnsafeBufferPointer<UInt8>, hash: UInt64, place: Int, source: SeriesSource
    ) -> Int32 {
        let slot = Int32(sources.count)
        sources.append(source)
        insert(key, hash: hash, place: place, slot: slot)
        return slot
    }

    private mutating func insert(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64, place: Int, slot: Int32) {
        places[place] = Int32(entries.count)
        entries.append(Entry(hash: hash, start: bytes.count, count: Int32(key.count), slot: slot))
        bytes.append(contentsOf: key)
        if entries.count * 2 > places.count { grow() }
    }

    private mutating func grow() {
        places = [Int32](repeating: -1, count: places.count * 2)
        let mask = places.count - 1
        for (number, entry) in entries.enumerated() {
            var place = Int(truncatingIfNeeded: entry.hash) & mask
            while places[place] >= 0 { place = (place + 1) & mask }
            places[place] = Int32(number)
        }
    }
}
