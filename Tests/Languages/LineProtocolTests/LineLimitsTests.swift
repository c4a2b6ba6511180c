import LineProtocol
import Testing
import VigilModel

@Suite struct LineLimitsTests {
    @Test(arguments: [
        ("m f=\"" + String(repeating: "x", count: 100) + "\"", "line_length"),
        ("m,a=" + String(repeating: "x", count: 40) + " f=1", "key_length"),
        ("m,a=1,b=2,c=3 f=1", "tag_count"), ("m a=1,b=1,c=1,d=1", "field_count"),
        ("m abcdefghi=1", "field_name_length"), ("m a=\"abcdefghijk\"", "text_length"),
    ])
    func `what is longer than allowed is refused`(line: String, code: String) {
        var limits = LineLimits()
        limits.lineBytes = 64
        limits.keyBytes = 32
        limits.tags = 2
        limits.fields = 3
        limits.fieldNameBytes = 8
        limits.textBytes = 10
        for chunk in [1, 3, .max] {
            let decoded = decode(Array("m f=1\n\(line)\nm f=2\n".utf8), limits: limits, chunk: chunk)
            #expect(decoded.problems.map(\.reason.code) == [code])
            #expect(decoded.problems.map(\.line) == [2])
            #expect(decoded.goodLineCount == 2)
        }
    }

    @Test func `problems are described up to a number and all counted`() {
        var limits = LineLimits()
        limits.problems = 3
        let decoded = decode(Array(String(repeating: "bad\n", count: 10).utf8), limits: limits)
        #expect(decoded.problems.count == 3)
        #expect(decoded.refusedLineCount == 10)
    }

    @Test func `lines past the limit are refused as a whole`() {
        var limits = LineLimits()
        limits.lines = 4
        for chunk in [1, 9, .max] {
            let decoded = decode(Array(String(repeating: "m f=1\n", count: 10).utf8), limits: limits, chunk: chunk)
            #expect(decoded.goodLineCount == 4)
            #expect(decoded.refusedLineCount == 6)
            #expect(decoded.problems == [LineProblem(line: 5, column: 1, reason: .lineCount)])
        }
    }
}
