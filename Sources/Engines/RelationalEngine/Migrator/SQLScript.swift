/// Cuts a script into its statements, as the engine's library takes one at a time.
enum SQLScript {
    /// The statements without their semicolons and without comments.
    ///
    /// Semicolons inside quotes and between `BEGIN` and `END` of a trigger end nothing.
    static func statements(of script: String) -> [String] {
        var statements: [String] = []
        var current = ""
        var quote: Character?
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
            var isComment = false
            var previous: Character?
            for character in line {
                if isComment { break }
                if let open = quote {
                    if character == open { quote = nil }
                } else if character == "'" || character == "\"" {
                    quote = character
                } else if character == "-", previous == "-" {
                    current.removeLast()
                    isComment = true
                    continue
                } else if character == ";", !isInsideTrigger(current) {
                    append(current, to: &statements)
                    current = ""
                    previous = nil
                    continue
                }
                current.append(character)
                previous = character
            }
            current.append("\n")
        }
        append(current, to: &statements)
        return statements
    }

    private static func append(_ text: String, to statements: inout [String]) {
        let trimmed = text.drop { $0.isWhitespace }
        if !trimmed.isEmpty { statements.append(String(trimmed)) }
    }

    private static func isInsideTrigger(_ text: String) -> Bool {
        let words = text.uppercased().split { $0.isWhitespace }
        guard words.first == "CREATE", words.prefix(3).contains("TRIGGER") else { return false }
        return words.last != "END"
    }
}
