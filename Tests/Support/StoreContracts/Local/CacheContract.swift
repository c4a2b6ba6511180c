import VigilModel
package import VigilPorts

/// The contract of `Cache`.
package enum CacheContract {
    package typealias Subject = TimedSubject<any Cache>
    package typealias Clause = StoreClause<Subject>

    package static var clauses: [Clause] { values + counters }

    private static var values: [Clause] {
        [
            Clause("cache/set", "A value is there until its end, and absent after") { subject in
                try await subject.store.set("set", to: [1, 0, 255], for: .life)
                try require(try await subject.store.value(of: "set"), is: [1, 0, 255])
                try await subject.advance(.beyond)
                try require(try await subject.store.value(of: "set"), is: nil)
            },
            Clause("cache/replace", "A value replaces an earlier one, with its end") { subject in
                try await subject.store.set("replace", to: [1], for: .life)
                try await subject.advance(.half)
                try await subject.store.set("replace", to: [], for: .life)
                try await subject.advance(Span.milliseconds(1500))
                try require(try await subject.store.value(of: "replace"), is: [])
            },
            Clause("cache/remove", "Removing makes absent, and removing what is not there is no error") { subject in
                try await subject.store.set("remove", to: [1], for: .life)
                try await subject.store.remove("remove")
                try await subject.store.remove("remove")
                try require(try await subject.store.value(of: "remove"), is: nil)
            },
            Clause("cache/keys", "A key has 1 to 512 bytes") { subject in
                let long = String(repeating: "é", count: 256)
                try await subject.store.set(long, to: [1], for: .life)
                try require(try await subject.store.value(of: long), is: [1])
                for key in ["", long + "x"] {
                    try await requireError(.invalid) { try await subject.store.set(key, to: [1], for: .life) }
                }
            },
            Clause("cache/compare-and-set", "A value is stored only when the present one is the expected one") {
                subject in
                let store = subject.store
                try require(try await store.compareAndSet("cas", from: [1], to: [2], for: .life), is: false)
                try require(try await store.compareAndSet("cas", from: nil, to: [1], for: .life), is: true)
                try require(try await store.compareAndSet("cas", from: nil, to: [3], for: .life), is: false)
                try require(try await store.compareAndSet("cas", from: [1], to: [2], for: .life), is: true)
                try require(try await store.value(of: "cas"), is: [2])
                try await subject.advance(.beyond)
                try require(try await store.compareAndSet("cas", from: [2], to: [4], for: .life), is: false)
            },
        ]
    }

    private static var counters: [Clause] {
        [
            Clause("cache/add", "A counter starts at 0 and gives the sum, whoever adds at the same time") { subject in
                let sums = try await withThrowingTaskGroup(of: Int64.self) { group in
                    for _ in 0..<20 { group.addTask { try await subject.store.add(2, to: "add", for: .life) } }
                    return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
                }
                try require(sums, is: Set((1...20).map { Int64($0 * 2) }))
                try require(try await subject.store.add(-50, to: "add", for: .life), is: -10)
            },
            Clause("cache/add-keeps-end", "The end of a counter is set when it is made, and kept after") { subject in
                _ = try await subject.store.add(1, to: "end", for: .life)
                try await subject.advance(.half)
                try require(try await subject.store.add(1, to: "end", for: .life), is: 2)
                try await subject.advance(Span.milliseconds(1200))
                try require(try await subject.store.add(1, to: "end", for: .life), is: 1)
            },
        ]
    }
}
