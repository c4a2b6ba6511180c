import VigilModel
import VigilPorts

extension SeriesContract {
    static let windows: [Clause] = [
        Clause("series/windows-all", "Every aggregate is that of the samples of its window") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(0, 4), (10, 2), (20, 8), (60, 1), (70, 1), (200, 5)])
            let found = try await room.windows(
                "level", SeriesRoom.range(0, 300), step: 60, WindowQuery.Aggregate.allCases)
            try require(found.count, is: 1)
            try require(found[0].starts, is: [0, 60, 180].map(SeriesRoom.at))
            let expected: [WindowQuery.Aggregate: [Double]] = [
                .count: [3, 2, 1], .sum: [14, 2, 5], .minimum: [2, 1, 5], .maximum: [8, 1, 5], .first: [4, 1, 5],
                .last: [8, 1, 5], .increase: [8, 0, 0],
                .rate: [0.4, 0, .nan],
                .firstTime: [0, 60, 200].map { Double(SeriesRoom.at($0).microseconds) },
                .lastTime: [20, 70, 200].map { Double(SeriesRoom.at($0).microseconds) },
            ]
            for (index, aggregate) in WindowQuery.Aggregate.allCases.enumerated() {
                guard let values = expected[aggregate] else { continue }
                let isSame = zip(found[0].values[index], values).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
                try require(isSame, "\(aggregate.rawValue) is \(found[0].values[index]), not \(values)")
            }
            let average = found[0].values[WindowQuery.Aggregate.allCases.firstIndex(of: .average) ?? 0]
            try require(zip(average, [14.0 / 3, 1, 5]).allSatisfy { abs($0 - $1) < 1e-9 }, "average is \(average)")
            let deviation = found[0].values[WindowQuery.Aggregate.allCases.firstIndex(of: .deviation) ?? 0]
            let wanted = [(56.0 / 9).squareRoot(), 0, 0]
            try require(zip(deviation, wanted).allSatisfy { abs($0 - $1) < 1e-9 }, "deviation is \(deviation)")
        },
        Clause("series/windows-start", "Windows start at the start of the range, not at round times") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(7, 1), (66, 1), (67, 1)])
            let found = try await room.windows("level", SeriesRoom.range(7, 1000), step: 60, [.count])
            try require(found.first?.starts ?? [], is: [7, 67].map(SeriesRoom.at))
            try require(found.first?.values ?? [], is: [[2, 1]])
        },
        Clause("series/windows-end", "The last window ends at the end of the range at the latest") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: (0..<10).map { ($0, 1) })
            let found = try await room.windows("level", SeriesRoom.range(0, 7), step: 5, [.count])
            try require(found.first?.values ?? [], is: [[5, 2]])
        },
        Clause("series/windows-always", "A window over all of time holds every sample") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(-1_600_000_000, 1), (0, 2), (90_000_000_000, 4)])
            let query = WindowQuery(
                SeriesSelection([.metric("level")]), step: Span(microseconds: .max), aggregates: [.sum])
            try require(try await room.store.windows(query, in: room.scope).first?.values ?? [], is: [[7]])
        },
        Clause("series/windows-numbers", "Text and objects are passed over; integers and booleans count as numbers") {
            let room = SeriesRoom($0.store)
            try await room.append("mixed", [(1, .integer(3)), (2, .text("no")), (3, .boolean(true)), (4, .float(0.5))])
            try await room.append("words", [(1, .text("only"))])
            let found = try await room.windows("mixed", SeriesRoom.range(0, 60), step: 60, [.count, .sum])
            try require(found.first?.values ?? [], is: [[3], [4.5]])
            try require(try await room.windows("words", SeriesRoom.range(0, 60), step: 60, [.count]), is: [])
        },
        Clause("series/windows-stale", "The marker that ends a series is no number; another NaN is one") {
            let room = SeriesRoom($0.store)
            let stale = Double(bitPattern: WindowAggregate.staleBits)
            try await room.append("level", floats: [(1, 2), (2, stale), (3, 4), (70, stale)])
            try await room.append("broken", floats: [(1, 2), (2, .nan), (3, 4)])
            let found = try await room.windows("level", SeriesRoom.range(0, 120), step: 60, [.count, .sum, .last])
            try require(found.first?.values ?? [], is: [[2], [6], [4]])
            let broken = try await room.windows(
                "broken", SeriesRoom.range(0, 60), step: 60, [.count, .minimum, .maximum, .sum])
            try require(broken.first?.values.prefix(3).map { $0 } ?? [], is: [[3], [2], [4]])
            try require(broken.first?.values.last?.first?.isNaN ?? false, "a sum with a NaN is NaN")
        },
        Clause("series/windows-sum", "A sum keeps what rounding would lose, and an average outlives its overflow") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 5), (2, 1e100), (3, 1), (4, -1e100)])
            try await room.append("great", floats: [(1, 1.5e308), (2, 1.5e308)])
            let found = try await room.windows("level", SeriesRoom.range(0, 60), step: 60, [.sum])
            try require(found.first?.values ?? [], is: [[6]])
            let great = try await room.windows("great", SeriesRoom.range(0, 60), step: 60, [.average])
            try require(great.first?.values ?? [], is: [[1.5e308]])
        },
        Clause("series/windows-overwrite", "An overwritten sample counts once, with its last value") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 100), (2, 2)])
            try await room.append("level", floats: [(1, 1)])
            let found = try await room.windows("level", SeriesRoom.range(0, 60), step: 60, [.count, .sum, .maximum])
            try require(found.first?.values ?? [], is: [[2], [3], [2]])
        },
        Clause("series/windows-late", "A late sample counts in the window where it belongs") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(10, 1), (100, 1)])
            try await room.append("level", floats: [(20, 5)])
            let found = try await room.windows("level", SeriesRoom.range(0, 120), step: 60, [.sum, .last])
            try require(found.first?.values ?? [], is: [[6, 1], [5, 1]])
        },
        Clause(
            "series/windows-quantiles", "A quantile is that of the numbers of its window, between two of them in part"
        ) {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(0, 4), (10, 1), (20, 3), (30, .nan), (40, 2), (60, 7)])
            var query = WindowQuery(
                SeriesSelection([.metric("level")], range: SeriesRoom.range(0, 120)), step: .seconds(60),
                aggregates: [.count], quantiles: [0, 0.5, 0.9, 1])
            let found = try await room.store.windows(query, in: room.scope)
            try require(found.first?.values ?? [], is: [[5, 1]])
            let wanted: [[Double]] = [[1, 7], [2.5, 7], [3.7, 7], [4, 7]]
            let isSame = zip(found.first?.quantiles ?? [], wanted).allSatisfy { have, want in
                have.count == 2 && zip(have, want).allSatisfy { abs($0 - $1) < 1e-9 }
            }
            try require(isSame && found.first?.quantiles.count == 4, "quantiles are \(found.first?.quantiles ?? [])")
            query.quantiles = [1.5]
            try await requireError(.invalid) { try await room.store.windows(query, in: room.scope) }
        },
        Clause("series/windows-step", "A step that is not positive is refused") {
            let room = SeriesRoom($0.store)
            try await requireError(.invalid) { try await room.windows("level", .always, step: 0, [.count]) }
        },
        Clause("series/windows-reset", "A fall of a counter counts as a reset to zero") {
            let room = SeriesRoom($0.store)
            try await room.append("total", floats: [(0, 10), (10, 15), (20, 3), (30, 4)])
            let found = try await room.windows("total", SeriesRoom.range(0, 60), step: 60, [.increase])
            try require(found.first?.values ?? [], is: [[9]])
        },
    ]

    static let latest: [Clause] = [
        Clause("series/latest-newest", "The newest sample by reading time is the latest") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (5, 5)])
            try require(try await room.latest("level")?.sample.value ?? .float(0), is: .float(5))
            try await room.append("level", floats: [(6, 6)])
            try require(try await room.latest("level")?.sample.value ?? .float(0), is: .float(6))
        },
        Clause("series/latest-devices", "The latest samples of some devices are those of no other") {
            let room = SeriesRoom($0.store)
            let (first, second) = (DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2))
            try await room.append("level", [(1, .float(1)), (2, .float(2))], device: first)
            try await room.append("level", [(1, .float(10))], device: second)
            try await room.append("level", [(9, .float(99))])
            for (devices, wanted) in [([first], [2.0]), ([first, second], [2, 10]), ([], [])] as [(Set, [Double])] {
                let found = try await room.store.latest([.metric("level")], devices: devices, in: room.scope)
                try require(found.compactMap(\.sample.value.number).sorted(), is: wanted)
            }
        },
        Clause("series/latest-late", "A late reading never becomes latest") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(5, 5)])
            try await room.append("level", floats: [(1, 1)])
            try require(try await room.latest("level")?.sample.value ?? .float(0), is: .float(5))
        },
        Clause("series/latest-overwrite", "An overwritten latest sample has its last value") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(5, 5)])
            try await room.append("level", [(5, .text("gone"))])
            try require(try await room.latest("level")?.sample.value ?? .float(0), is: .text("gone"))
        },
        Clause("series/latest-arrival", "The latest sample says when its reading reached us") {
            guard !$0.lacks.contains(.arrival) else { return }
            let room = SeriesRoom($0.store)
            try await room.append("level", [(5, .float(5))], arrival: SeriesRoom.at(900))
            try await room.append("level", [(1, .float(1))], arrival: SeriesRoom.at(901))
            try require(try await room.latest("level")?.arrival ?? .distantPast, is: SeriesRoom.at(900))
        },
        Clause("series/latest-delete", "When the latest sample is removed, the one before is latest") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2)])
            try await room.delete("level", SeriesRoom.range(2, 3))
            try require(try await room.latest("level")?.sample.value ?? .float(0), is: .float(1))
        },
        Clause("series/latest-restart", "The latest sample is the same after the store is opened again") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(5, 5)])
            try await room.append("level", floats: [(1, 1)])
            let before = try await room.latest("level")
            let store = try await $0.reopened()
            let after = try await store.latest([.metric("level")], in: room.scope).first
            try require(before != nil && before == after, "differs after the restart")
        },
    ]
}
