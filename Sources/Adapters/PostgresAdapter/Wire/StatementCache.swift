/// The prepared statements of one connection, by text and parameter types, the least used going first.
struct StatementCache {
    struct Key: Hashable {
        let text: String
        let types: [UInt32]
    }
    private struct Entry {
        let name: String
        var used: UInt64
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var names: UInt64 = 0

    init(capacity: Int) {
        self.capacity = max(8, capacity)
    }

    /// An empty cache that gives no name again that `old` has given.
    init(capacity: Int, continuing old: StatementCache) {
        self.init(capacity: capacity)
        names = old.names
    }

    var count: Int { entries.count }

    mutating func name(of key: Key) -> String? {
        clock += 1
        guard let index = entries.index(forKey: key) else { return nil }
        entries.values[index].used = clock
        return entries.values[index].name
    }

    /// Makes a name for a statement, and says which others must be let go for it.
    mutating func insert(_ key: Key) -> (name: String, evicted: [String]) {
        var evicted: [String] = []
        if entries.count >= capacity {
            // A quarter at once, so that the search for the oldest is rare.
            let oldest = entries.sorted { $0.value.used < $1.value.used }.prefix(capacity / 4)
            for (key, entry) in oldest {
                entries[key] = nil
                evicted.append(entry.name)
            }
        }
        names += 1
        clock += 1
        let name = "vigil_\(names)"
        entries[key] = Entry(name: name, used: clock)
        return (name, evicted)
    }

    mutating func remove(_ key: Key) {
        entries[key] = nil
    }
}
