import VigilModel
import VigilPorts

extension SeriesContract {
    static let removing: [Clause] = [
        Clause("series/delete-range", "The samples in the range are removed, the others stay, and the count is right") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: (1...5).map { ($0, Double($0)) })
            try require(try await room.delete("level", SeriesRoom.range(2, 4)), is: 2)
            try require(try await room.values("level").map(\.second), is: [1, 4, 5])
        },
        Clause("series/delete-columns", "Other series of the same rows stay") {
            let room = SeriesRoom($0.store)
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: [1, 2].map { SeriesRoom.at($0).microseconds },
                columns: [
                    ReadingColumn(field: "a", values: .floats([1, 2])),
                    ReadingColumn(field: "b", values: .texts(["x", "y"])),
                ])
            let batch = ReadingBatch(tables: [table], arrival: SeriesRoom.arrival)
            _ = try await room.store.append(batch, in: room.scope)
            try require(try await room.delete("a", SeriesRoom.range(1, 2)), is: 1)
            try require(try await room.values("a").map(\.second), is: [2])
            let expected = [Reading(second: 1, value: .text("x")), Reading(second: 2, value: .text("y"))]
            try require(try await room.values("b"), is: expected)
        },
        Clause("series/delete-series", "A series of which nothing is left is not listed or counted") {
            let room = SeriesRoom($0.store)
            try await room.append("keep", floats: [(1, 1)])
            try await room.append("gone", floats: [(1, 1), (2, 1)])
            let before = try await room.store.statistics().seriesCount
            try require(try await room.delete("gone"), is: 2)
            try require(try await room.metrics([]), is: ["keep"])
            try require(before - (try await room.store.statistics().seriesCount), is: 1)
        },
        Clause("series/delete-again", "A removed series takes readings again, and only those are there") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2)])
            try await room.delete("level")
            try await room.append("level", floats: [(2, 20)])
            try require(try await room.values("level"), is: [Reading(2, 20)])
        },
        Clause("series/delete-windows", "Aggregates do not see what was removed") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2), (3, 4)])
            try await room.delete("level", SeriesRoom.range(2, 3))
            let found = try await room.windows("level", SeriesRoom.range(0, 60), step: 60, [.sum, .count])
            try require(found.first?.values ?? [], is: [[5], [2]])
        },
        Clause("series/delete-restart", "What was removed stays away after the store is opened again") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2)])
            try await room.delete("level", SeriesRoom.range(1, 2))
            try await room.append("level", floats: [(3, 3)])
            let again = SeriesRoomView(try await $0.reopened(), room.scope)
            try require(try await again.seconds("level"), is: [2, 3])
        },
        Clause("series/delete-overwritten", "An overwritten sample is counted once") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1)])
            try await room.append("level", floats: [(1, 2)])
            try require(try await room.delete("level"), is: 1)
        },
        Clause("series/removal", "What a removal would take is told before: each sample once, and nothing changes") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1), (2, 2), (3, 3)])
            try await room.append("level", floats: [(2, 20)])
            try await room.append("other", floats: [(1, 1)])
            let level = SeriesSelection([.metric("level")], range: SeriesRoom.range(2, 4))
            let would = try await room.store.removal(level, in: room.scope)
            try require(would.series.map(\.metric), is: ["level"])
            try require(would.samples, is: 2)
            let away = SeriesSelection([], range: SeriesRoom.range(50, 60))
            try require(try await room.store.removal(away, in: room.scope), is: SeriesRemoval())
            try require(try await room.store.removal(SeriesSelection([]), in: room.scope).samples, is: 4)
            try require(try await room.values("level").count, is: 3)
            try require(try await room.store.delete(level, in: room.scope), is: 2)
        },
        Clause("series/delete-tenant-space", "The space of a tenant's readings is given back with them") {
            let room = SeriesRoom($0.store)
            let before = try await room.store.statistics().diskBytes
            let times = (0..<20_000).map { SeriesRoom.at($0).microseconds }
            // Numbers that do not compress.
            let values = times.map { Double(bitPattern: UInt64(bitPattern: $0) &* 0x9E37_79B9_7F4A_7C15 >> 2) }
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: times,
                columns: [ReadingColumn(field: "level", values: .floats(values))])
            _ = try await room.store.append(ReadingBatch(tables: [table], arrival: SeriesRoom.arrival), in: room.scope)
            let full = try await room.store.statistics().diskBytes
            try require(full > before + 100_000, "\(full) bytes after \(before)")
            try await room.store.deleteTenant(in: room.scope)
            let after = try await room.store.statistics().diskBytes
            try require(after < before + 50_000, "\(after) bytes are left of \(full), \(before) before")
        },
        Clause("series/delete-tenant", "Everything of the tenant is removed, and nothing of others") {
            let room = SeriesRoom($0.store)
            let other = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1)])
            try await other.append("level", floats: [(1, 1)])
            try await room.store.deleteTenant(in: room.scope)
            try require(try await room.metrics([]), is: [])
            try require(try await other.metrics([]), is: ["level"])
        },
    ]

    static let scopes: [Clause] = [
        Clause("series/scope-tenant", "Nothing of another tenant is returned, listed or removed") {
            let room = SeriesRoom($0.store)
            let other = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1)])
            try await other.append("level", floats: [(2, 2)])
            try require(try await room.values("level").map(\.second), is: [1])
            try require(try await room.store.latest([], in: room.scope).count, is: 1)
            try require(try await room.windows("level", .always, step: 3600, [.count]).count, is: 1)
            try require(try await room.delete("level"), is: 1)
            try require(try await other.values("level").map(\.second), is: [2])
        },
        Clause(
            "series/scope-devices", "Nothing of a device that the scope does not show is returned, listed or removed"
        ) {
            let room = SeriesRoom($0.store)
            let (mine, hidden) = (DeviceID(at: SeriesRoom.at(0)), DeviceID(at: SeriesRoom.at(0)))
            for device in [mine, hidden, nil] { try await room.append("level", [(1, .float(1))], device: device) }
            let scope = AccessScope(
                tenant: room.tenant, visibility: .assigned(devices: [mine], locations: []))
            try require(try await room.samples(scope: scope).keys.map(\.device), is: [mine])
            try require(try await room.store.series(SeriesSelection([]), in: scope).map(\.device), is: [mine])
            try require(try await room.store.latest([], in: scope).map(\.identity.device), is: [mine])
            let query = WindowQuery(SeriesSelection([]), step: .hours(1), aggregates: [.count])
            try require(try await room.store.windows(query, in: scope).map(\.identity.device), is: [mine])
            try require(try await room.store.delete(SeriesSelection([]), in: scope), is: 1)
            try require(try await room.samples().count, is: 2)
        },
        Clause("series/scope-none", "Questions and removals in a scope without a tenant are refused") {
            let store = $0.store
            let scope = SystemScope.allTenants("contract")
            let all = SeriesSelection([])
            try await requireError(.invalid) { try await store.samples(all, in: scope) }
            try await requireError(.invalid) { try await store.latest([], in: scope) }
            try await requireError(.invalid) { try await store.series(all, in: scope) }
            try await requireError(.invalid) { try await store.delete(all, in: scope) }
            try await requireError(.invalid) { try await store.deleteTenant(in: scope) }
            let query = WindowQuery(all, step: .hours(1), aggregates: [.count])
            try await requireError(.invalid) { try await store.windows(query, in: scope) }
        },
    ]

    static let lifetime: [Clause] = [
        Clause("series/close", "After close, calls throw unavailable") {
            let room = SeriesRoom($0.store)
            try await room.append("level", floats: [(1, 1)])
            await room.store.close()
            try await requireError(.unavailable) { try await room.append("level", floats: [(2, 2)]) }
            try await requireError(.unavailable) { try await room.samples() }
            let again = SeriesRoomView(try await $0.reopened(), room.scope)
            try require(try await again.seconds("level"), is: [1])
        }
    ]
}

/// Reads a room through a store that was opened again.
struct SeriesRoomView {
    let store: any SeriesStore
    let scope: AccessScope

    init(_ store: any SeriesStore, _ scope: AccessScope) {
        self.store = store
        self.scope = scope
    }

    func seconds(_ metric: String) async throws -> [Int64] {
        let cursor = try await store.samples(SeriesSelection([.metric(metric)]), in: scope)
        var result: [Int64] = []
        while let piece = try await cursor.next() {
            result += piece.samples.map { ($0.time - SeriesRoom.at(0)).microseconds / 1_000_000 }
        }
        return result
    }
}
