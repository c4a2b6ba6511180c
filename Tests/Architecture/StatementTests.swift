import Testing

/// A trap of `SQL`: in `\(isOpen ? "ASC" : "DESC")` the literals are values, not syntax, and are bound.
///
/// What is meant as syntax is written `SQL("ASC")`, or chosen before: `let order: SQL = isOpen ? "ASC" : "DESC"`. What is
/// meant as a value is chosen before too, so that whoever reads the statement need not wonder.
@Suite struct StatementTests {
    @Test func `no statement chooses between bare literals inside an interpolation`() {
        var statements = 0
        for file in SourceTree.swiftFiles(in: "Sources") {
            for (line, text) in Self.literals(of: file.lines) where Self.isStatement(text) {
                statements += 1
                for trap in Self.traps(in: text) {
                    Issue.record("\(file.path):\(line): \(trap) binds its literals: choose before, or write SQL(\"…\")")
                }
            }
        }
        #expect(statements > 200, "the test found too few statements to mean anything")
    }

    @Test(arguments: [
        (#"SELECT id FROM a ORDER BY b \(down ? "DESC" : "ASC")"#, 1),
        (#"SELECT id FROM a WHERE \(all ? "1 = 1" : "b = 2") AND \(x)"#, 1),
        (#"SELECT id FROM a WHERE \(a == b ? "x" : c ? "y" : "z")"#, 1),
        (#"SELECT id FROM a ORDER BY b \(down ? SQL("DESC") : SQL("ASC"))"#, 0),
        (#"SELECT id FROM a WHERE b = \(name ?? "none")"#, 0),
        (#"SELECT id FROM a WHERE b = \(values.map { $0 ? 1 : 2 })"#, 0),
    ])
    func `the trap is recognised`(_ text: String, _ count: Int) {
        #expect(Self.isStatement(text))
        #expect(Self.traps(in: text).count == count)
    }

    /// Whether a literal reads like SQL.
    private static func isStatement(_ text: String) -> Bool {
        ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WHERE ", "ORDER BY ", " JOIN ", " AND ", "LIMIT "]
            .contains { text.contains($0) }
    }

    /// The interpolations that choose between bare literals.
    private static func traps(in text: String) -> [String] {
        var result: [String] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "\\(") {
            var depth = 1
            var end = open.upperBound
            while end < rest.endIndex, depth > 0 {
                if rest[end] == "(" { depth += 1 }
                if rest[end] == ")" { depth -= 1 }
                rest.formIndex(after: &end)
            }
            let expression = String(rest[open.lowerBound..<end])
            if expression.contains(bareChoice) { result.append(expression) }
            rest = rest[end...]
        }
        return result
    }

    // A literal right after the question mark, and one right after the colon.
    nonisolated(unsafe) private static let bareChoice = /\?\s*"[^"]*"\s*:\s*[^"]*"[^"]*"\s*\)$/

    /// The literals of a file with the line where each begins: whole blocks of """ and, otherwise, single lines.
    private static func literals(of lines: [String]) -> [(line: Int, text: String)] {
        var result: [(line: Int, text: String)] = []
        var block: (line: Int, text: String)?
        for (index, line) in lines.enumerated() {
            let marks = line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count - 1
            if var open = block {
                open.text += "\n" + line
                block = open
                if marks % 2 == 1 {
                    result.append(open)
                    block = nil
                }
            } else if marks % 2 == 1 {
                block = (index + 1, line)
            } else if line.contains("\""), !line.drop(while: { $0 == " " }).hasPrefix("//") {
                result.append((index + 1, line))
            }
        }
        return result
    }
}
