import Synchronization
import VigilModel

/// Times as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The text of the second that was written last: an answer is mostly of the second of the one before.
    private static let latest = Mutex<(second: Int64, text: String)>((.min, ""))

    static func text(_ time: Timestamp) -> String {
        let second = (Double(time.microseconds) / 1e6).rounded(.down)
        if let known = latest.withLock({ $0.second == Int64(second) ? $0.text : nil }) { return known }
        let text = written(time)
        latest.withLock { $0 = (Int64(second), text) }
        return text
    }

    private static func written(_ time: Timestamp) -> String {
        // RFC 3339, `1994-11-06T08:49:37…`, has all parts but the day of the week.
        let parts = time.description.prefix(19).split { "-T:".contains($0) }
        guard parts.count == 6, let month = Int(parts[1]) else { return "" }
        let day = Int((Double(time.microseconds) / 86_400_000_000).rounded(.down))
        let weekday = days[((day % 7) + 7) % 7]
        return "\(weekday), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]):\(parts[4]):\(parts[5]) GMT"
    }
}
