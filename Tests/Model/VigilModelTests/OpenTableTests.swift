import Testing
import VigilModel

@Suite struct OpenTableTests {
    /// A key whose mixing is chosen, so that keys can meet.
    private struct Key: OpenTableKey {
        let number: Int
        let mixed: Int
    }

    private final class Thing: Sendable {}

    @Test func `what is put is found, and what is not put is not`() {
        var table = OpenTable<Key, String>()
        #expect(table[Key(number: 1, mixed: 1)] == nil)
        table.put("a", for: Key(number: 1, mixed: 1))
        #expect(table[Key(number: 1, mixed: 1)] == "a" && table[Key(number: 2, mixed: 1)] == nil)
        table.put("b", for: Key(number: 1, mixed: 1))
        #expect(table[Key(number: 1, mixed: 1)] == "b" && table.count == 1)
    }

    @Test func `it grows, and keeps everything`() {
        var table = OpenTable<Key, Int>()
        for number in 0..<100_000 { table.put(number, for: Key(number: number, mixed: number &* 31)) }
        #expect(table.count == 100_000)
        #expect((0..<100_000).allSatisfy { table[Key(number: $0, mixed: $0 &* 31)] == $0 })
        #expect(table[Key(number: 100_000, mixed: 100_000 &* 31)] == nil)
    }

    @Test(arguments: [0, -1, 63, Int.min, Int.max])
    func `keys that all meet at one place are told apart`(_ mixed: Int) {
        var table = OpenTable<Key, Int>()
        for number in 0..<300 { table.put(number, for: Key(number: number, mixed: mixed)) }
        #expect((0..<300).allSatisfy { table[Key(number: $0, mixed: mixed)] == $0 })
        #expect(table[Key(number: 300, mixed: mixed)] == nil)
    }

    @Test func `all is forgotten at once, and the table can be filled again`() {
        var table = OpenTable<Key, Int>()
        for number in 0..<1000 { table.put(number, for: Key(number: number, mixed: number)) }
        table.removeAll()
        #expect(table.count == 0 && table[Key(number: 5, mixed: 5)] == nil)
        table.put(7, for: Key(number: 5, mixed: 5))
        #expect(table.count == 1 && table[Key(number: 5, mixed: 5)] == 7)
    }

    @Test func `a copy goes its own way`() {
        var table = OpenTable<Key, Int>()
        table.put(1, for: Key(number: 1, mixed: 1))
        let copy = table
        table.put(2, for: Key(number: 1, mixed: 1))
        table.put(3, for: Key(number: 2, mixed: 1))
        #expect(copy[Key(number: 1, mixed: 1)] == 1 && copy.count == 1 && table.count == 2)
    }

    @Test func `it says what a dictionary says`() {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<50 {
            let range = Int.random(in: 1...400, using: &generator)
            // Few bits make keys meet, many let them lie apart.
            let mask = (1 << Int.random(in: 0...20, using: &generator)) - 1
            var table = OpenTable<Key, Int>()
            var model: [Int: Int] = [:]
            for step in 0..<2000 {
                let number = Int.random(in: 0..<range, using: &generator)
                let key = Key(number: number, mixed: number &* 0x9E37_79B9 & mask)
                switch Int.random(in: 0..<1000, using: &generator) {
                case 0:
                    table.removeAll()
                    model.removeAll()
                case 1..<500:
                    table.put(step, for: key)
                    model[number] = step
                default: #expect(table[key] == model[number], "round \(round), step \(step), mask \(mask)")
                }
                #expect(table.count == model.count)
            }
        }
    }

    @Test func `pairs of objects are told apart by both, and by their order`() {
        let things = (0..<60).map { _ in Thing() }
        var table = OpenTable<ObjectPair, Int>()
        for (first, one) in things.enumerated() {
            table.put(-first, for: ObjectPair(ObjectIdentifier(one)))
            for (second, other) in things.enumerated() {
                table.put(first * 100 + second, for: ObjectPair(ObjectIdentifier(one), ObjectIdentifier(other)))
            }
        }
        #expect(table.count == 60 * 61)
        for (first, one) in things.enumerated() {
            #expect(table[ObjectPair(ObjectIdentifier(one))] == -first)
            for (second, other) in things.enumerated() {
                let pair = ObjectPair(ObjectIdentifier(one), ObjectIdentifier(other))
                #expect(table[pair] == first * 100 + second)
            }
        }
        #expect(table[ObjectPair(ObjectIdentifier(Thing.self), ObjectIdentifier(Thing.self))] == nil)
    }

    @Test func `objects that lie beside each other are spread`() {
        // As the allocator lays them out: 48 bytes apart.
        let places = (0..<4096).map { number in
            unsafeBitCast(UInt(0x7F00_1234_5000 + number * 48), to: ObjectIdentifier.self)
        }
        let used = Set(places.map { ObjectPair($0, places[0]).mixed & 8191 })
        #expect(used.count > 2500, "\(used.count) of 8192 places for 4096 keys")
    }
}
