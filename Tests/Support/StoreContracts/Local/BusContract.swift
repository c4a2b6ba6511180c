package import VigilPorts

/// The contract of `Bus`.
package enum BusContract {
    package typealias Clause = StoreClause<any Bus>

    package static var clauses: [Clause] {
        [
            Clause("bus/order", "A subscriber gets the messages of its topic in order, from the subscription on") {
                bus in
                try await publish(bus, "order.a", 99)
                var messages = try await bus.subscribe("order.a", buffer: 100).makeAsyncIterator()
                try await publish(bus, "order.b", 98)
                for number in 0..<50 { try await publish(bus, "order.a", UInt8(number)) }
                for number in 0..<50 { try require(await messages.next()?.payload, is: [UInt8(number)]) }
            },
            Clause("bus/prefix", "A prefix that ends in * takes all topics that begin so") { bus in
                var some = try await bus.subscribe("prefix.a*", buffer: 10).makeAsyncIterator()
                var all = try await bus.subscribe("*", buffer: 10).makeAsyncIterator()
                for topic in ["prefix.b", "prefix.a", "prefix.ab.c"] { try await publish(bus, topic, 1) }
                try require(await some.next()?.topic, is: "prefix.a")
                try require(await some.next()?.topic, is: "prefix.ab.c")
                try require(await all.next()?.topic, is: "prefix.b")
            },
            Clause("bus/nobody", "Nobody has to listen, and a subscriber that left is no burden") { bus in
                do {
                    let stream = try await bus.subscribe("nobody", buffer: 1)
                    _ = stream
                }
                for _ in 0..<10 { try await publish(bus, "nobody", 1) }
            },
            Clause("bus/slow", "A subscriber that falls more than its buffer behind is ended") { bus in
                let stream = try await bus.subscribe("slow", buffer: 3)
                for number in 0..<10 { try await publish(bus, "slow", UInt8(number)) }
                var got: [UInt8] = []
                for await message in stream { got += message.payload }
                try require(got, is: [0, 1, 2])
            },
            Clause("bus/pattern", "A * anywhere but at the end is refused") { bus in
                for pattern in ["", "a*b", "**"] {
                    try await requireError(.invalid) { _ = try await bus.subscribe(pattern, buffer: 1) }
                }
            },
        ]
    }

    private static func publish(_ bus: any Bus, _ topic: String, _ number: UInt8) async throws {
        try await bus.publish(BusMessage(topic: topic, payload: [number]))
    }
}
