import VigilModel

/// The parts of a moment in UTC.
struct CivilTime {
    let year: Int
    let month: Int
    let day: Int
    let dayOfWeek: Int
    let dayOfYear: Int
    let hour: Int
    let minute: Int

    /// `nil` for NaN, infinities and years beyond what a calendar is good for.
    init?(seconds: Double) {
        guard seconds.isFinite, abs(seconds) < 1e13 else { return nil }
        let whole = Int64(seconds.rounded(.towardZero))
        let days = (whole >= 0 ? whole : whole - 86_399) / 86_400
        let rest = whole - days * 86_400
        let date = Timestamp.civil(daysSince1970: days)
        year = Int(date.year)
        month = Int(date.month)
        day = Int(date.day)
        // 1970-01-01 was a Thursday.
        dayOfWeek = Int(((days + 4) % 7 + 7) % 7)
        dayOfYear = Int(days - Timestamp.daysSince1970(year: year, month: 1, day: 1)) + 1
        hour = Int(rest / 3600)
        minute = Int(rest / 60 % 60)
    }

    var daysInMonth: Int {
        let next = month == 12 ? (year + 1, 1) : (year, month + 1)
        return Int(
            Timestamp.daysSince1970(year: next.0, month: next.1, day: 1)
                - Timestamp.daysSince1970(year: year, month: month, day: 1))
    }
}
