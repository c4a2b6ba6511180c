import VigilModel
import VigilPorts

extension SeriesContract {
    /// A store without tiers keeps these by not claiming any.
    static let tiers: [Clause] = [
        Clause("series/tiers-undecided", "Until somebody decides, nothing moves or goes") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await room.append("level", floats: [(1, 1)])
            try require(try await tiers.applyRetention(at: day(36_500), isDryRun: false).isEmpty)
            try require(try await room.values("level"), is: [Reading(1, 1)])
        },
        Clause("series/tiers-expired", "What is past its last bound goes, what is younger or another series stays") {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            tiers.keep { _, series in
                series.metric == "short" ? SeriesRetention(RetentionBounds(hot: .age(.days(7)))) : .forever
            }
            _ = try await tiers.applyRetention(at: day(7), isDryRun: false)
            try require(try await room.values("short").count, is: 2, "none goes earlier")
            _ = try await tiers.applyRetention(at: day(9), isDryRun: false)
            try require(try await room.values("short").map(\.second), is: [5 * 86_400])
            try require(try await room.values("long").count, is: 2)
            _ = try await tiers.applyRetention(at: day(14), isDryRun: false)
            try require(try await room.values("short").isEmpty)
            try require(try await room.metrics([]), is: ["long"])
            let again = SeriesRoomView(try await subject.reopened(), room.scope)
            try require(try await again.seconds("short").isEmpty)
            try require(try await again.seconds("long"), is: [1, 5 * 86_400])
        },
        Clause("series/tiers-moved", "Questions see the warm tier, and readings land in it") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            tiers.keep { _, _ in water }
            let changes = try await tiers.applyRetention(at: day(14), isDryRun: false)
            try require(changes.allSatisfy { $0.from == .hot && $0.to == .warm }, "\(changes)")
            try require(changes.compactMap { $0.samples[room.tenant] }.reduce(0, +), is: 4)
            try await room.append("short", floats: [(2, 7), (5 * 86_400, 9)])
            let expected = [Reading(1, 1), Reading(2, 7), Reading(5 * 86_400, 9)]
            try require(try await room.values("short"), is: expected)
            let again = SeriesRoomView(try await subject.reopened(), room.scope)
            try require(try await again.seconds("short"), is: [1, 2, 5 * 86_400])
        },
        Clause("series/tiers-archive", "What lies in the archive is listed, and is seen while it is attached") {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            tiers.keep { _, _ in water }
            _ = try await tiers.applyRetention(at: day(60), isDryRun: false)
            try require(try await room.values("short").isEmpty)
            let parts = try await tiers.archived()
            try require(parts.count, is: 2)
            try require(parts.map(\.range.start), is: parts.map(\.range.start).sorted())
            try await tiers.attach(parts[0].name)
            try require(try await room.values("short"), is: [Reading(1, 1)])
            let reopened = try await subject.reopened()
            let again = SeriesRoomView(reopened, room.scope)
            try require(try await again.seconds("short"), is: [1])
            guard let tiers = reopened as? any SeriesTiering else { return }
            try await tiers.detach(parts[0].name)
            try require(try await again.seconds("short").isEmpty)
            try await requireError(.invalid) { try await tiers.attach("nothing") }
            tiers.keep { _, _ in water }
            _ = try await tiers.applyRetention(at: day(6 * 365), isDryRun: false)
            try require(try await tiers.archived().isEmpty)
        },
        Clause("series/tiers-held", "What is held stays, and goes when it is held no longer") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            let bounds = RetentionBounds(hot: .age(.days(7)))
            tiers.keep { _, series in SeriesRetention(bounds, isHeld: series.metric == "short") }
            _ = try await tiers.applyRetention(at: day(30), isDryRun: false)
            try require(try await room.values("short").count, is: 2)
            try require(try await room.values("long").isEmpty)
            tiers.keep { _, _ in SeriesRetention(bounds) }
            _ = try await tiers.applyRetention(at: day(30), isDryRun: false)
            try require(try await room.metrics([]).isEmpty)
        },
        Clause("series/tiers-changed", "A series that is kept otherwise from now on moves, and loses nothing") {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            let short = SeriesRetention(RetentionBounds(hot: .age(.days(7))))
            tiers.keep { _, _ in short }
            try await appendTwo(room)
            _ = try await tiers.applyRetention(at: day(6), isDryRun: false)
            tiers.keep { _, series in series.metric == "short" ? short : .forever }
            try await room.append("long", floats: [(1, 10)])
            _ = try await tiers.applyRetention(at: day(30), isDryRun: false)
            try require(try await room.values("short").isEmpty)
            try require(try await room.values("long"), is: [Reading(1, 10), Reading(5 * 86_400, 4)])
        },
        Clause("series/tiers-dry-run", "A dry run says what would be done, and does nothing") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            tiers.keep { _, series in
                series.metric == "short" ? SeriesRetention(RetentionBounds(hot: .age(.days(7)))) : .forever
            }
            let would = try await tiers.applyRetention(at: day(30), isDryRun: true)
            try require(would.compactMap { $0.samples[room.tenant] }.reduce(0, +), is: 2)
            try require(would.allSatisfy { $0.to == .expired })
            try require(try await room.values("short").count, is: 2)
            let done = try await tiers.applyRetention(at: day(30), isDryRun: false)
            try require(done.compactMap { $0.samples[room.tenant] }.reduce(0, +), is: 2)
        },
        Clause("series/tiers-delete", "A removal reaches the archive, attached or not") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendTwo(room)
            tiers.keep { _, _ in water }
            _ = try await tiers.applyRetention(at: day(60), isDryRun: false)
            try require(try await room.delete("short"), is: 2)
            for part in try await tiers.archived() { try await tiers.attach(part.name) }
            try require(try await room.metrics([]), is: ["long"])
            for part in try await tiers.archived() { try await tiers.detach(part.name) }
            try require(try await room.metrics([]).isEmpty)
        },
        Clause(
            "series/tiers-removal",
            "A removal is foretold with what lies in the archive and with aggregates: each reading once"
        ) { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            try await room.append("short", floats: [(1, 1)])
            let archived = RetentionBounds(hot: .age(.days(7)), archive: .age(.days(30)))
            tiers.keep { _, _ in SeriesRetention(archived, rollups: rolled.rollups) }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            try require(try await room.values("level").isEmpty)
            let hours = SeriesSelection(
                [.metric("level")],
                range: TimeRange(Timestamp(seconds: midnight + 3600), Timestamp(seconds: midnight + 3 * 3600)))
            let would = try await room.store.removal(hours, in: room.scope)
            try require(would.series.map(\.metric), is: ["level"])
            try require(would.samples, is: 8)
            try require(try await room.values("level").isEmpty, "what is shut stays shut")
            try require(try await room.store.delete(hours, in: room.scope), is: 8)
            try require(try await room.store.removal(hours, in: room.scope), is: SeriesRemoval())
            // From here on only aggregates by the hour and the day are left.
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 39 * 86_400), isDryRun: false)
            try require(try await tiers.archived().isEmpty)
            let rest = try await room.store.removal(SeriesSelection([.metric("level")]), in: room.scope)
            try require(rest, is: SeriesRemoval(series: would.series, samples: 88))
            try require(try await room.delete("level"), is: 88)
        },
        Clause(
            "series/tiers-rollups",
            "Windows by whole minutes, hours and days outlive their readings, each as long as said"
        ) { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            tiers.keep { _, _ in rolled }
            let query = dayQuery(step: 3600)
            let before = try await room.store.windows(query, in: room.scope)
            try require(before.first?.starts.count ?? 0, is: 24)
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            try require(try await room.values("level").isEmpty)
            try require(try await room.store.windows(query, in: room.scope), is: before)
            let store = try await subject.reopened()
            try require(try await store.windows(query, in: room.scope), is: before)
            guard let tiers = store as? any SeriesTiering else { return }
            tiers.keep { _, _ in rolled }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 50 * 86_400), isDryRun: false)
            let day = try await store.windows(dayQuery(step: 86_400), in: room.scope)
            try require(day.first?.values.first ?? [], is: [96], "by the day")
            try require(try await store.windows(query, in: room.scope).first?.starts.count ?? 0, is: 1, "by the hour")
            tiers.keep { _, _ in SeriesRetention(RetentionBounds(hot: .age(.days(7)))) }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 51 * 86_400), isDryRun: false)
            try require(try await store.windows(dayQuery(step: 86_400), in: room.scope).isEmpty)
        },
        Clause("series/tiers-rollups-quantiles", "Of readings that went quantiles are known within a hundredth") {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            tiers.keep { _, _ in rolled }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            var query = dayQuery(step: 86_400)
            query.quantiles = [0, 0.25, 0.5, 0.9, 1]
            let sorted = (0..<96).map { Double($0 * 7 % 40) }.sorted()
            let wanted = query.quantiles.map { WindowAggregate.quantile($0, of: sorted) }
            for round in 0..<2 {
                let store = round == 0 ? room.store : try await subject.reopened()
                let found = try await store.windows(query, in: room.scope).first
                try require(found?.values.first ?? [], is: [96])
                let isNear = zip(found?.quantiles ?? [], wanted).allSatisfy { have, want in
                    have.count == 1 && abs(have[0] - want) <= 0.0101 * want
                }
                try require(isNear && found?.quantiles.count == 5, "quantiles are \(found?.quantiles ?? [])")
            }
        },
        Clause(
            "series/tiers-rollups-quantiles-mixed",
            "Readings that are there count in the quantile of a window others of which went"
        ) { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            tiers.keep { _, _ in rolled }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            let late = (0..<96).map { (dayStart + 1 + $0 * 900, 1000 + Double($0)) }
            try await room.append("level", floats: late)
            let sorted = ((0..<96).map { Double($0 * 7 % 40) } + late.map(\.1)).sorted()
            var query = dayQuery(step: 86_400)
            query.quantiles = [0.1, 0.4, 0.6, 1]
            let found = try await room.store.windows(query, in: room.scope).first
            try require(found?.values.first ?? [], is: [192])
            for (have, share) in zip(found?.quantiles ?? [], query.quantiles) {
                let want = WindowAggregate.quantile(share, of: sorted)
                try require(have.count == 1 && abs(have[0] - want) <= 0.0101 * want, "\(share) is \(have), not \(want)")
            }
            // Where all readings are there the answer is exact.
            query.selection.range = TimeRange(
                Timestamp(seconds: midnight + 86_400), Timestamp(seconds: midnight + 2 * 86_400))
            try await room.append("level", floats: (0..<9).map { (dayStart + 86_400 + $0, Double($0) * 0.1) })
            let exact = try await room.store.windows(query, in: room.scope).first?.quantiles.map { $0[0] } ?? []
            let numbers = (0..<9).map { Double($0) * 0.1 }
            try require(exact, is: query.quantiles.map { WindowAggregate.quantile($0, of: numbers) }, "exact")
        },
        Clause("series/tiers-rollups-late", "A reading that comes when others of its day went counts with them") {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            tiers.keep { _, _ in rolled }
            for round in 0..<2 {
                let now = Timestamp(seconds: midnight + 15 * 86_400 + Int64(round))
                _ = try await tiers.applyRetention(at: now, isDryRun: false)
                // Seen at once, and when it went too.
                if round == 0 { try await room.append("level", floats: [(dayStart + 7, 500)]) }
                let found = try await room.store.windows(dayQuery(step: 86_400), in: room.scope).first
                try require(found?.values.first ?? [], is: [97], "count")
                try require(found?.values[2] ?? [], is: [500], "greatest")
            }
        },
        Clause("series/tiers-rollups-removed", "A removal reaches what is kept of readings that went") { subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            tiers.keep { _, _ in rolled }
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            let (start, end) = (Timestamp(seconds: midnight + 3600), Timestamp(seconds: midnight + 3 * 3600))
            let selection = SeriesSelection([.metric("level")], range: TimeRange(start, end))
            try require(try await room.store.delete(selection, in: room.scope), is: 8)
            let found = try await room.store.windows(dayQuery(step: 86_400), in: room.scope).first
            try require(found?.values.first ?? [], is: [88], "count")
            let hours = try await room.store.windows(dayQuery(step: 3600), in: room.scope).first
            try require(hours?.starts.count ?? 0, is: 22, "hours")
            try require(try await room.delete("level"), is: 88)
            try require(try await room.store.windows(dayQuery(step: 3600), in: room.scope).isEmpty)
        },
        Clause("series/tiers-rollups-archive", "While readings of the archive are attached, they answer and count once")
        {
            subject in
            guard let tiers = subject.store as? any SeriesTiering else { return }
            let room = SeriesRoom(subject.store)
            try await appendDay(room)
            let archived = SeriesRetention(
                RetentionBounds(hot: .age(.days(7)), archive: .forever), rollups: rolled.rollups)
            tiers.keep { _, _ in archived }
            let query = dayQuery(step: 3600)
            let before = try await room.store.windows(query, in: room.scope)
            _ = try await tiers.applyRetention(at: Timestamp(seconds: midnight + 15 * 86_400), isDryRun: false)
            try require(try await room.store.windows(query, in: room.scope), is: before)
            for part in try await tiers.archived() { try await tiers.attach(part.name) }
            try require(try await room.values("level").count, is: 96)
            try require(try await room.store.windows(query, in: room.scope), is: before)
            for part in try await tiers.archived() { try await tiers.detach(part.name) }
            let (start, end) = (Timestamp(seconds: midnight + 3601), Timestamp(seconds: midnight + 3 * 3600))
            let selection = SeriesSelection([.metric("level")], range: TimeRange(start, end))
            try require(try await room.store.delete(selection, in: room.scope), is: 7)
            let found = try await room.store.windows(query, in: room.scope).first
            try require(found?.starts.count ?? 0, is: 23, "the hour of which a part went is what is left of it")
        },
    ]

    private static let rolled = SeriesRetention(
        RetentionBounds(hot: .age(.days(7))),
        rollups: RollupBounds(minute: .age(.days(20)), hour: .age(.days(40)), day: .forever))

    /// The beginning of a day in UTC, and how long after the beginning of the test's time that is.
    private static let midnight: Int64 = 1_700_006_400
    private static let dayStart: Int64 = 6400

    /// A reading every quarter of an hour of one day.
    private static func appendDay(_ room: SeriesRoom) async throws {
        try await room.append("level", floats: (0..<96).map { (dayStart + $0 * 900, Double($0 * 7 % 40)) })
    }

    private static func dayQuery(step: Int64) -> WindowQuery {
        WindowQuery(
            SeriesSelection(
                [.metric("level")],
                range: TimeRange(Timestamp(seconds: midnight), Timestamp(seconds: midnight + 86_400))),
            step: .seconds(step), aggregates: [.count, .minimum, .maximum, .first, .last, .firstTime, .increase])
    }

    private static let water = SeriesRetention(
        RetentionBounds(hot: .age(.days(7)), warm: .age(.days(30)), archive: .age(.days(5 * 365))))

    private static func day(_ count: Int64) -> Timestamp { SeriesRoom.at(count * 86_400) }

    /// Two series in the same rows, on the first and on the sixth day.
    private static func appendTwo(_ room: SeriesRoom) async throws {
        let table = ReadingTable(
            source: SeriesSource(device: nil), times: [1, 5 * 86_400].map { SeriesRoom.at($0).microseconds },
            columns: [
                ReadingColumn(field: "short", values: .floats([1, 2])),
                ReadingColumn(field: "long", values: .floats([3, 4])),
            ])
        _ = try await room.store.append(ReadingBatch(tables: [table], arrival: SeriesRoom.arrival), in: room.scope)
    }
}

private func require<Value: Equatable>(_ value: Value, is expected: Value, _ why: String) throws {
    try require(value == expected, "\(why): is \(value), not \(expected)")
}
