import CRE2

/// A regular expression of RE2, compiled.
///
/// The one way in which patterns that users write may run: matching takes time linear in the text, whatever the
/// pattern, and the compiled program has a limit.
package final class Pattern: @unchecked Sendable {
    // A compiled RE2 never changes and its matching functions are safe from several threads at once.
    private let compiled: OpaquePointer
    package let source: String

    /// The most memory one compiled pattern may take.
    package static let memoryBytesMax = 1 << 20
    /// The longest pattern.
    package static let sourceBytesMax = 4096

    /// Compiles `source`; `nil` when it is malformed or past the limits.
    package init?(_ source: String) {
        guard source.utf8.count <= Self.sourceBytesMax else { return nil }
        var text = source
        let compiled = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_compile($0.baseAddress, $0.count, Int64(Self.memoryBytesMax))
            }
        }
        guard let compiled else { return nil }
        self.compiled = compiled
        self.source = source
    }

    deinit {
        cre2_free(compiled)
    }

    /// Whether all of `text` matches.
    package func matchesWhole(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_full_match(compiled, $0.baseAddress, $0.count) != 0 }
        }
    }

    /// Whether some part of `text` matches.
    package func matchesPart(of text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_partial_match(compiled, $0.baseAddress, $0.count) != 0 }
        }
    }

    /// How many capturing groups the pattern has.
    package var groupCount: Int { Int(cre2_group_count(compiled)) }

    /// The name of a capturing group, counted from 1.
    package func name(ofGroup group: Int) -> String? {
        cre2_group_name(compiled, Int32(group)).map { String(cString: $0) }
    }

    /// The texts of the whole match and of each group when all of `text` matches; `nil` for a group without a match.
    package func groups(inWhole text: String) -> [String?]? {
        let count = groupCount + 1
        var offsets = [Int32](repeating: -1, count: count * 2)
        var text = text
        return text.withUTF8 { bytes in
            let found = bytes.withMemoryRebound(to: CChar.self) {
                cre2_full_match_groups(compiled, $0.baseAddress, $0.count, &offsets, Int32(count)) != 0
            }
            guard found else { return nil }
            return (0..<count).map { group in
                let (start, end) = (Int(offsets[2 * group]), Int(offsets[2 * group + 1]))
                return start < 0 ? nil : String(decoding: bytes[start..<end], as: UTF8.self)
            }
        }
    }
}
