import Foundation

/// The sentences of the ports' doc comments, read from the sources.
enum PortSentences {
    /// The sentences of each protocol of VigilPorts: its own and those of its requirements, in order.
    static func byProtocol() -> [String: [String]] {
        var result: [String: [String]] = [:]
        for file in SourceTree.swiftFiles(in: "Sources/Ports/VigilPorts") {
            var name: String?
            var comment: [Substring] = []
            for line in file.lines {
                let text = line.drop { $0 == " " }
                if text.hasPrefix("///") {
                    comment.append(text.dropFirst(3).drop { $0 == " " })
                    continue
                }
                if let match = line.prefixMatch(of: /package protocol (\w+)/) {
                    name = String(match.output.1)
                    result[String(match.output.1)] = sentences(of: comment)
                } else if line.hasPrefix("}") {
                    name = nil
                } else if let name, text.contains("func ") || text.contains("var ") {
                    result[name, default: []] += sentences(of: comment)
                }
                if !text.isEmpty, !text.hasPrefix("@") { comment = [] }
            }
        }
        return result
    }

    private static func sentences(of comment: [Substring]) -> [String] {
        var result: [String] = []
        var paragraph = ""
        var isCode = false
        for line in comment + [""] {
            if line.hasPrefix("```") {
                isCode.toggle()
                continue
            }
            if isCode { continue }
            var line = line
            let isField = line.hasPrefix("- ")
            if isField { line = line.dropFirst(2) }
            if line.hasPrefix("Important: ") { line = line.dropFirst(11) }
            if line.isEmpty || isField {
                result += cut(paragraph)
                paragraph = ""
            }
            if !line.isEmpty { paragraph += paragraph.isEmpty ? String(line) : " " + line }
        }
        return result
    }

    /// Cuts where a full stop is followed by a space and the beginning of another sentence.
    private static func cut(_ paragraph: String) -> [String] {
        var result: [String] = []
        var current = ""
        for word in paragraph.split(separator: " ") {
            let begins = word.first.map { $0.isUppercase || $0.isNumber || $0 == "`" } ?? false
            if begins, let last = current.last, ".!?".contains(last) {
                result.append(current)
                current = ""
            }
            current += current.isEmpty ? String(word) : " " + word
        }
        return current.isEmpty ? result : result + [current]
    }
}
