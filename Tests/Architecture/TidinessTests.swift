import Testing

/// The habits of `Docs/STYLE.md` that a machine can hold.
@Suite struct TidinessTests {
    /// Calls that have a better way here, and that way.
    static let banned: [(call: String, instead: String, allowedIn: [String])] = [
        ("Thread.sleep", "wait on a TimeSource", []),
        ("Task.sleep", "wait on a TimeSource", ["SystemClock.swift"]),
        ("try!", "handle or throw the error", []),
        ("fatalError(", "preconditionFailure(\"BUG: …\") with the reason", []),
        (
            "print(", "a logger, or the command line's output",
            ["Sources/Apps/vigil/", "Plugins/", "Benchmarks/", "Examples/"]
        ),
        ("DispatchQueue.main", "an actor", []),
        ("NSLock", "Mutex of Synchronization", []),
        ("Date()", "TimeSource.now()", ["SystemClock.swift"]),
        ("NSRegularExpression", "RE2 for the patterns of users, a scanner for ours", []),
        ("URLSession", "AsyncHTTPClient", []),
    ]

    /// Leftovers: written so that this file does not find itself.
    static let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]

    static let sources =
        SourceTree.swiftFiles(in: "Sources") + SourceTree.swiftFiles(in: "Plugins")
        + SourceTree.swiftFiles(in: "Tests").filter { !$0.path.hasPrefix("Tests/Architecture/") }

    @Test func `no file outgrows the head`() {
        for file in Self.sources {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines: split it by concern")
        }
        let lengths = Self.sources.map(\.lines.count).sorted()
        #expect(lengths.count > 40, "the test read too few files to mean anything")
    }

    @Test func `no banned call is used, and the better way is named`() {
        for file in Self.sources where file.path.hasPrefix("Sources/") {
            for (index, line) in file.lines.enumerated() {
                let code = Self.withoutComment(line)
                for rule in Self.banned where Self.calls(rule.call, in: code) {
                    let isAllowed = rule.allowedIn.contains { file.path.contains($0) }
                    #expect(isAllowed, "\(file.path):\(index + 1): instead of \(rule.call) use \(rule.instead)")
                }
            }
        }
    }

    @Test func `no mark of unfinished work is left`() {
        for file in Self.sources {
            for (index, line) in file.lines.enumerated() {
                for mark in Self.leftovers {
                    let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
                    #expect(!words.contains { $0 == mark }, "\(file.path):\(index + 1): \(mark)")
                }
            }
        }
    }

    @Test func `unchecked sendability stays near the metal and says why`() {
        for file in Self.sources where file.path.hasPrefix("Sources/") {
            for (index, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
                let isLow = ["Foundations", "Engines", "Adapters"].contains { file.path.hasPrefix("Sources/\($0)/") }
                #expect(
                    isLow, "\(file.path):\(index + 1): @unchecked Sendable outside Foundations, Engines and Adapters")
                let before = file.lines[max(0, index - 8)..<index]
                let isExplained = before.contains { $0.contains("//") } || line.contains("//")
                #expect(isExplained, "\(file.path):\(index + 1): @unchecked Sendable without its reason beside it")
            }
        }
    }

    @Test func `functions do not take @testable shortcuts`() {
        for file in Self.sources where file.path.hasPrefix("Tests/") {
            for (index, line) in file.lines.enumerated() where line.hasPrefix("@testable import Vigil") {
                #expect(
                    Bool(false),
                    "\(file.path):\(index + 1): the services, ports and model are tested through package API")
            }
        }
    }

    private static func withoutComment(_ line: String) -> Substring {
        guard let range = line.firstRange(of: "//") else { return line[...] }
        return line[..<range.lowerBound]
    }

    /// Whether `call` stands in `code` as a word of its own, not as the end of another name.
    private static func calls(_ call: String, in code: Substring) -> Bool {
        guard let range = code.firstRange(of: call) else { return false }
        guard range.lowerBound > code.startIndex else { return true }
        let before = code[code.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_" || before == ".")
    }
}
