import PromQL
import Testing
import VigilModel

@Suite struct ParserTests {
    @Test(arguments: [
        ("1 +", "1:4: parse error: unexpected end of input in expression"),
        ("", "1:1: parse error: no expression found in input"),
        ("foo{a=1}", "1:7: parse error: unexpected number \"1.0\" in label matching, expected string"),
        ("rate(foo)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"),
        ("rate()", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 0"),
        ("nonsense(1)", "1:1: parse error: unknown function with name \"nonsense\""),
        ("1 == 1", "1:1: parse error: comparisons between scalars must use BOOL modifier"),
        ("1 and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
        ("{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("a + bool b", "1:5: parse error: bool modifier can only be used on comparison operators"),
        (
            "sum(a) offset 5m",
            "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
        ),
        ("foo[0s]", "1:4: parse error: duration must be greater than 0"),
        (
            "\n\n  foo[",
            "3:7: parse error: unexpected end of input in subquery or range selector, expected number, duration, step(), or range()"
        ),
        ("a and on(x) group_left b", "1:13: parse error: no grouping allowed for \"and\" operation"),
        ("a{", "1:3: parse error: unexpected end of input in label matching, expected identifier or \"}\""),
    ])
    func `what is wrong is told with line and column`(query: String, message: String) {
        #expect(throws: SyntaxError.self) { try Parser.parse(query) }
        do { _ = try Parser.parse(query) } catch { #expect(error.description == message) }
    }

    @Test func `products bind tighter than sums, and powers to the right`() throws {
        guard case .binary(let sum) = try Parser.parse("1 + 2 * 3").kind else { return #expect(Bool(false)) }
        #expect(sum.operation == .add)
        guard case .binary(let power) = try Parser.parse("2 ^ 3 ^ 2").kind else { return #expect(Bool(false)) }
        #expect(power.left.kind == .number(2))
        guard case .negation = try Parser.parse("-2 ^ 2").kind else { return #expect(Bool(false)) }
    }

    @Test func `selectors take quoted names, offsets and moments in any order`() throws {
        for query in ["{\"a.b\", \"x\"='y'} offset 5m @ 10", "{\"a.b\", x=\"y\"} @ 10 offset (1m * 5)"] {
            guard case .vector(let selector) = try Parser.parse(query).kind else { return #expect(Bool(false)) }
            #expect(Set(selector.matchers) == [.metric("a.b"), LabelMatcher("x", .equal, "y")])
            #expect(selector.shift.offset?.constant == .minutes(5))
            #expect(selector.shift.anchor == .time(Timestamp(seconds: 10)))
        }
    }

    @Test func `words of the language may name metrics and labels`() throws {
        for query in ["sum", "by{on=\"x\"}", "start", "count by (by, sum) (offset)", "a:b:c", "min + max"] {
            #expect(throws: Never.self) { try Parser.parse(query) }
        }
    }

    @Test(arguments: [
        String(repeating: "(", count: 60_000), String(repeating: "-", count: 60_000) + "1",
        Array(repeating: "1", count: 20_000).joined(separator: "+"), String(repeating: "sum(", count: 10_000),
        "a[" + String(repeating: "(", count: 50_000), Array(repeating: "2", count: 20_000).joined(separator: "^"),
        String(repeating: "a", count: 70_000),
    ])
    func `no depth and no length exhausts the parser`(query: String) {
        #expect(throws: SyntaxError.self) { try Parser.parse(query) }
    }

    @Test func `random words never crash the parser`() {
        let seed = UInt64.random(in: 1 ... .max)
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let words = [
            "a", "sum", "by", "(", ")", "{", "}", "[", "]", "5m", ":", "1", "+", "-", "^", "and", "on", "offset", "@",
            "\"x\"", "=", "=~", "rate", ",", "bool", "==", "start", "\\", "'", "\u{0}", "é", "fill", "group_left", "0x",
            "1e",
        ]
        for _ in 0..<5000 {
            let query = (0..<next(14)).map { _ in words[next(words.count)] }.joined(separator: next(3) == 0 ? "" : " ")
            _ = try? Parser.parse(query)
        }
        #expect(seed != 0, "seed \(seed)")
    }
}
