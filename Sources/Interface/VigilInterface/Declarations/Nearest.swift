/// Finds the name that somebody meant.
package enum Nearest {
    /// The known name that is fewest letters away from `name`, when it is near at all.
    ///
    /// Case, `_` and `-` do not count, and neither does an end that was left off.
    package static func name(to name: String, among known: some Sequence<String>) -> String? {
        // A name of any length may come from outside.
        let wanted = plain(String(name.prefix(64)))
        let candidates = known.sorted().map { (name: $0, plain: plain($0)) }
        if let same = candidates.first(where: { $0.plain == wanted }) { return same.name }
        let found = candidates.map { ($0.name, distance(wanted, $0.plain)) }.min { $0.1 < $1.1 }
        if let found, found.1 <= max(1, wanted.count / 4) { return found.0 }
        return candidates.first {
            wanted.count >= 3 && $0.plain.starts(with: wanted) || $0.plain.count >= 3 && wanted.starts(with: $0.plain)
        }?.name
    }

    /// `"; did you mean NAME?"`, or nothing.
    package static func hint(for name: String, among known: some Sequence<String>) -> String {
        self.name(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
    }

    private static func plain(_ name: String) -> [Character] {
        Array(name.lowercased().filter { $0 != "_" && $0 != "-" })
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (place, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let here = min(row[column + 1] + 1, row[column] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = row[column + 1]
                row[column + 1] = here
            }
        }
        return row[right.count]
    }
}
