extension Timestamp: LosslessStringConvertible, Codable {
    /// Reads an RFC 3339 date and time.
    ///
    /// Also takes what real files hold: a blank instead of `T`, no zone (then it is UTC), no seconds, a date alone, and
    /// any number of fraction digits (truncated to microseconds). Days that do not exist are refused.
    package init?(_ description: String) {
        var scanner = DateScanner(description)
        guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2), scanner.take("-"),
            let day = scanner.digits(2), (1...12).contains(month), day >= 1,
            day <= Self.days(inMonth: month, year: year)
        else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        var offset: Int64 = 0
        if !scanner.isAtEnd {
            guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let hour = scanner.digits(2),
                scanner.take(":"), let minute = scanner.digits(2), hour < 24, minute < 60
            else { return nil }
            var second = 0
            if scanner.take(":") {
                // 60 is a leap second: it is the first moment of the next minute.
                guard let value = scanner.digits(2), value <= 60 else { return nil }
                second = value
                if scanner.take(".") || scanner.take(",") {
                    guard let digits = scanner.fraction() else { return nil }
                    fraction = digits
                }
            }
            seconds = Int64(hour * 3600 + minute * 60 + second)
            guard let zone = scanner.zone() else { return nil }
            offset = zone
        }
        guard scanner.isAtEnd else { return nil }
        let days = Self.daysSince1970(year: year, month: month, day: day)
        self.init(microseconds: (days * 86_400 + seconds - offset) * 1_000_000 + fraction)
    }

    /// The shortest RFC 3339 form in UTC: `2013-12-05T18:00:00Z`, with three or six fraction digits where needed.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textBytesMax) { write(to: $0) }
    }

    /// How long ``description`` can be.
    package static let textBytesMax = 32

    /// Writes ``description`` to the beginning of `buffer`, and says how long it is.
    package func write(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let clamped = min(max(self, .distantPast), .distantFuture).microseconds
        var (days, rest) = clamped.quotientAndRemainder(dividingBy: 86_400_000_000)
        if rest < 0 {
            days -= 1
            rest += 86_400_000_000
        }
        let (year, month, day) = Self.civil(daysSince1970: days)
        let (second, micro) = rest.quotientAndRemainder(dividingBy: 1_000_000)
        var count = 0
        func add(_ number: Int64, _ width: Int, then mark: Unicode.Scalar) {
            var rest = number
            for place in (0..<width).reversed() {
                buffer[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            buffer[count + width] = UInt8(ascii: mark)
            count += width + 1
        }
        add(year, 4, then: "-")
        add(month, 2, then: "-")
        add(day, 2, then: "T")
        add(second / 3600, 2, then: ":")
        add(second / 60 % 60, 2, then: ":")
        if micro == 0 {
            add(second % 60, 2, then: "Z")
        } else {
            add(second % 60, 2, then: ".")
            let isWhole = micro % 1000 == 0
            add(isWhole ? micro / 1000 : micro, isWhole ? 3 : 6, then: "Z")
        }
        return count
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not an RFC 3339 date and time")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

// MARK: - The proleptic Gregorian calendar

extension Timestamp {
    /// Days from 1970-01-01 to a date.
    ///
    /// Counts whole 400-year cycles of 146,097 days from 0000-03-01, so that the leap day is the last day of a year.
    package static func daysSince1970(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let cycle = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfCycle = shifted - cycle * 400
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }

    /// The date of a day counted from 1970-01-01.
    package static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads the parts of a date from the front.
private struct DateScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + count] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        position += count
        return value
    }

    /// Fraction digits as microseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let digit = digits(1) {
            if count < 6 { value = value * 10 + Int64(digit) }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<max(count, 6) { value *= 10 }
        return value
    }

    /// The offset from UTC in seconds; 0 when none is written.
    mutating func zone() -> Int64? {
        if isAtEnd || take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours < 24 else { return nil }
        _ = take(":")
        let minutes = isAtEnd ? 0 : digits(2)
        guard let minutes, minutes < 60 else { return nil }
        return sign * Int64(hours * 3600 + minutes * 60)
    }
}
