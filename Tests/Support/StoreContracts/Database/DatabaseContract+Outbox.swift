import VigilModel
import VigilPorts

extension DatabaseContract {
    static var outbox: [Clause] {
        [
            Clause("database/outbox-no-gap", "A reader who remembers its last position misses no entry of any writer") {
                try await $0.inRoom { room in
                    try await outboxUnderWriters(room)
                }
            },
            Clause("database/outbox-arrivals", "A reader is told that something came, when the store can know") {
                try await $0.inRoom { room in
                    let arrivals = room.store.outboxArrivals()
                    let told = Signal()
                    let listener = Task {
                        for await _ in arrivals {
                            told.set()
                            return
                        }
                    }
                    defer { listener.cancel() }
                    try await room.write { try $0.appendToOutbox(DatabaseRoom.message("a")) }
                    let clock = ContinuousClock()
                    let end = clock.now + .seconds(5)
                    while !told.isDone, clock.now < end { await Task.yield() }
                    try require(told.isDone, "nobody was told within five seconds")
                }
            },
        ]
    }

    /// Writers that append early and commit late, while a reader follows.
    private static func outboxUnderWriters(_ room: DatabaseRoom) async throws {
        let (slowHasAppended, fastIsDone) = (Signal(), Signal())
        async let slow: Void = room.write { transaction in
            try transaction.appendToOutbox(DatabaseRoom.message("slow"))
            slowHasAppended.set()
            // On an engine with one writer nobody can be faster, and the wait ends by itself.
            fastIsDone.waitBriefly()
        }
        try await slowHasAppended.wait()
        async let fast: Void = {
            for number in 0..<5 {
                try await room.write { try $0.appendToOutbox(DatabaseRoom.message("fast", number: Int64(number))) }
            }
            fastIsDone.set()
        }()
        var followed: [OutboxEntry] = []
        for _ in 0..<20 {
            followed += try await room.store.outbox(after: followed.last?.position ?? .start, limit: 2)
        }
        _ = try await (slow, fast)
        // Older transactions of others on the same server hold entries back for as long as they run.
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while true {
            let more = try await room.store.outbox(after: followed.last?.position ?? .start, limit: 2)
            if more.isEmpty, followed.count >= 6 { break }
            if more.isEmpty, clock.now > end { break }
            followed += more
        }
        try require(followed.count, is: 6)
        try require(followed, is: try await room.store.outbox(after: .start, limit: 100))
        let numbers = followed.filter { $0.message.aggregateID == "fast" }.map { $0.message.data["number"]?.double }
        try require(numbers, is: [0, 1, 2, 3, 4])
    }
}
