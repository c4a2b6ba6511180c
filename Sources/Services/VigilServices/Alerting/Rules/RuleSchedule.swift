import Foundation
package import VigilModel

/// When a rule may raise alerts: on some days, between two times of day.
///
/// A window whose end is before its start goes over midnight, and belongs to the day on which it starts. Both ends
/// belong to it, to the minute: 22:00–06:00 includes 06:00 and not 06:01.
package struct RuleSchedule: Sendable, Hashable, Codable {
    /// 1 is Monday, 7 is Sunday; empty means every day.
    package var days: [Int]
    /// The time of day at which it begins, `HH:MM`.
    package var from: String
    package var to: String
    /// An IANA name; UTC when absent.
    package var timeZone: String?

    package init(days: [Int] = [], from: String, to: String, timeZone: String? = nil) {
        self.days = days
        self.from = from
        self.to = to
        self.timeZone = timeZone
    }

    /// The schedule ready for use.
    ///
    /// - Throws: `invalid` naming the field.
    package func compiled() throws(ServiceError) -> CompiledSchedule {
        guard let start = Self.minutes(from) else { throw .invalid("schedule.from", "is not a time of day, HH:MM") }
        guard let end = Self.minutes(to) else { throw .invalid("schedule.to", "is not a time of day, HH:MM") }
        guard days.allSatisfy((1...7).contains) else {
            throw .invalid("schedule.days", "must be 1 (Monday) to 7 (Sunday)")
        }
        guard let zone = timeZone.map(TimeZone.init(identifier:)) ?? TimeZone(secondsFromGMT: 0) else {
            throw .invalid("schedule.timeZone", "is not a known time zone")
        }
        return CompiledSchedule(days: Set(days), start: start, end: end, zone: zone)
    }

    private static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hours = Int(parts[0]),
            let minutes = Int(parts[1]), (0..<24).contains(hours), (0..<60).contains(minutes)
        else { return nil }
        return hours * 60 + minutes
    }
}

/// A schedule that was checked.
package struct CompiledSchedule: Sendable, Hashable {
    let days: Set<Int>
    let start: Int
    let end: Int
    let zone: TimeZone

    package func contains(_ time: Timestamp) -> Bool {
        let date = Date(timeIntervalSince1970: time.secondsSince1970)
        let local = Int(time.secondsSince1970.rounded(.down)) + zone.secondsFromGMT(for: date)
        let day = Self.floorDivision(local, 86_400)
        // 1970-01-01 was a Thursday.
        let weekday = Self.floorModulo(day + 3, 7) + 1
        let second = Self.floorModulo(local, 86_400)
        let minute = second / 60
        let endsHere = minute < end || (minute == end && second % 60 == 0)
        if start <= end { return minute >= start && endsHere && holds(weekday) }
        if minute >= start { return holds(weekday) }
        return endsHere && holds(weekday == 1 ? 7 : weekday - 1)
    }

    private func holds(_ weekday: Int) -> Bool { days.isEmpty || days.contains(weekday) }

    private static func floorDivision(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    private static func floorModulo(_ value: Int, _ divisor: Int) -> Int {
        value - floorDivision(value, divisor) * divisor
    }
}
