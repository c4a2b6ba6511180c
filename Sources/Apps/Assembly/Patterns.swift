import PatternKit
import PromQLEvaluation

extension PatternEngine {
    /// Regular expressions of users, run by RE2: its time grows with the text only, whatever the pattern.
    static let re2 = PatternEngine { text in
        guard let pattern = Pattern(text) else { return nil }
        var names: [String: Int] = [:]
        for group in 1..<max(1, pattern.groupCount + 1) {
            if let name = pattern.name(ofGroup: group) { names[name] = group }
        }
        return PatternEngine.Compiled(groups: { pattern.groups(inWhole: $0) }, names: names)
    }
}
