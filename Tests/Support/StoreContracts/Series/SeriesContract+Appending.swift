import VigilModel
import VigilPorts

extension SeriesContract {
    static let appending: [Clause] = [
        Clause("series/append-durable", "What append returned for is there after the store is opened again") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1.5), (2, 2.5)])
            try await room.append("level", floats: [(3, 3.5)])
            let store = try await $0.reopened()
            let again = try await store.samples(SeriesSelection([.metric("level")]), in: room.scope)
            var values: [ReadingValue] = []
            while let piece = try await again.next() { values += piece.samples.map(\.value) }
            try require(values, is: [.float(1.5), .float(2.5), .float(3.5)])
        },
        Clause("series/append-replaces", "A reading of a stored series and time replaces the earlier one") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2)])
            try await room.append("level", floats: [(1, 10)])
            try require(try await room.values("level"), is: [Reading(1, 10), Reading(2, 2)])
        },
        Clause("series/append-replaces-kind", "A reading replaces an earlier one of another kind") {
            let room = SeriesRoom($0.store)
            try await room.append("level", [(1, .float(1)), (2, .text("high"))])
            try await room.append("level", [(1, .integer(7))])
            try await room.append("level", [(2, .boolean(true))])
            try require(
                try await room.values("level"),
                is: [Reading(second: 1, value: .integer(7)), Reading(second: 2, value: .boolean(true))])
        },
        Clause("series/append-later-row", "Of two rows of a batch with one time, the later wins") {
            let room = SeriesRoom($0.store)
            let column = ReadingColumn(field: "level", values: .floats([1, 2, 3]))
            let time = SeriesRoom.at(1).microseconds
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: [time, time + 1_000_000, time], columns: [column])
            let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
            _ = try await room.store.append(batch, in: room.scope)
            try require(try await room.values("level"), is: [Reading(1, 3), Reading(2, 2)])
        },
        Clause("series/append-late", "A late reading lands where it belongs") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(10, 10), (30, 30)])
            try await room.append("level", floats: [(20, 20), (5, 5)])
            let seconds = try await room.values("level").map(\.second)
            try require(seconds, is: [5, 10, 20, 30])
        },
        Clause("series/append-atomic", "All readings of a batch are stored, or none") {
            guard !$0.lacks.contains(.atomicBatches) else { return }
            let room = SeriesRoom($0.store)
            let good = SeriesRoom.table("good", [(1, .float(1))])
            let source = SeriesSource(device: nil)
            let bad = ReadingTable(
                source: source, times: [SeriesRoom.at(1).microseconds, SeriesRoom.at(2).microseconds],
                columns: [ReadingColumn(field: "bad", values: .floats([1]))])
            try await requireError(.invalid) {
                try await room.store.append(
                    ReadingBatch(tables: good + [bad], arrival: SeriesRoom.arrival), in: room.scope)
            }
            try require(try await room.metrics([]), is: [])
        },
        Clause("series/append-kinds", "A field that changes its kind keeps both: kinds never conflict") {
            let room = SeriesRoom($0.store)
            let object = $0.lacks.contains(.objects) ? ReadingValue.text("{}") : .object("{\"a\":1}")
            let readings: [(Int64, ReadingValue)] = [
                (1, .float(1.25)), (2, .integer(.max)), (3, .boolean(false)), (4, .text("on")), (5, object),
                (6, .float(-0.0)), (7, .integer(.min)), (8, .text("")),
            ]
            try await room.append("state", readings)
            try require(
                try await room.values("state"), is: readings.map { Reading(second: $0.0, value: $0.1) })
        },
        Clause("series/append-empty", "An empty batch is durable at once") {
            let room = SeriesRoom($0.store)
            let before = try await room.append("level", floats: [(1, 1)])
            let empty = try await room.store.append(ReadingBatch(arrival: SeriesRoom.arrival), in: room.scope)
            try require(empty >= before, "the position fell")
        },
        Clause("series/append-position", "The position grows with every append") {
            let room = SeriesRoom($0.store)
            let first = try await room.append("level", floats: [(1, 1)])
            let second = try await room.append("other", floats: [(1, 1)])
            try require(first < second, "the position did not grow")
        },
        Clause("series/append-tenant", "An append in a scope without a tenant is refused") {
            let store = $0.store
            try await requireError(.invalid) {
                try await store.append(
                    ReadingBatch(tables: SeriesRoom.table("level", [(1, .float(1))]), arrival: SeriesRoom.arrival),
                    in: SystemScope.allTenants("contract"))
            }
        },
        Clause("series/append-absent", "A row that lacks a field makes no sample of it") {
            let room = SeriesRoom($0.store)
            let times = (1...3).map { SeriesRoom.at($0).microseconds }
            let table = ReadingTable(
                source: SeriesSource(device: nil, measurement: "tank"), times: times,
                columns: [
                    ReadingColumn(field: "level", values: .floats([1, 0, 3]), present: [true, false, true]),
                    ReadingColumn(
                        field: "full", values: .booleans([false, true, false]), present: [false, true, false]),
                ])
            let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
            _ = try await room.store.append(batch, in: room.scope)
            try require(try await room.values("tank_level"), is: [Reading(1, 1), Reading(3, 3)])
            try require(try await room.values("tank_full"), is: [Reading(second: 2, value: .boolean(true))])
        },
        Clause("series/append-quality", "A reading keeps its quality") {
            let room = SeriesRoom($0.store)
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: [1, 2].map { SeriesRoom.at($0).microseconds },
                columns: [ReadingColumn(field: "level", values: .floats([1, 2]), quality: [100, 40])])
            let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
            _ = try await room.store.append(batch, in: room.scope)
            let qualities = try await room.samples().values.flatMap { $0 }.map(\.quality)
            try require(qualities, is: [.good, .outOfRange])
        },
        Clause("series/append-not-finite", "NaN with its payload, infinities and minus zero come back bit by bit") {
            guard !$0.lacks.contains(.notFinite) else { return }
            let room = SeriesRoom($0.store)
            let values = [
                Double(bitPattern: 0x7FF0_0000_0000_0002), .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude,
            ]
            try await room.append("level", floats: values.enumerated().map { (Int64($0.offset), $0.element) })
            let bits = try await room.samples().values.flatMap { $0 }.map(\.value).map { value in
                if case .float(let number) = value { number.bitPattern } else { UInt64(0) }
            }
            try require(bits, is: values.map(\.bitPattern))
        },
    ]
}
