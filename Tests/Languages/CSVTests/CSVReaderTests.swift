import CSV
import Testing

/// Reads `text` in chunks of `chunk` bytes.
private func read(
    _ text: String, dialect: CSVDialect = .comma, limits: CSVLimits = CSVLimits(), chunk: Int = 7
) throws -> [CSVRecord] {
    var reader = CSVReader(dialect: dialect, limits: limits)
    let bytes = Array(text.utf8)
    var records: [CSVRecord] = []
    var start = 0
    while start < bytes.count {
        let end = min(start + chunk, bytes.count)
        records += try bytes[start..<end].withUnsafeBytes { try reader.feed($0) }
        start = end
    }
    return try records + reader.finish()
}

@Suite struct CSVReaderTests {
    @Test(arguments: [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        ("\u{FEFF}a,b\n", [["a", "b"]]),
        ("\"a\"\"b\",\"c\r\nd\"\n", [["a\"b", "c\r\nd"]]),
        ("\"x,y\",\n", [["x,y", ""]]),
        (",\n", [["", ""]]),
        ("\"\"\n", [[""]]),
        ("\n\na\n\n", [["a"]]),
        ("ä,日本\n", [["ä", "日本"]]),
        ("", []),
    ])
    func `records are read as RFC 4180 says`(text: String, expected: [[String]]) throws {
        for chunk in [1, 2, 3, 100] {
            #expect(try read(text, chunk: chunk).map(\.fields) == expected)
        }
    }

    @Test func `records know the line on which they begin`() throws {
        #expect(try read("a\n\n\"b\nc\"\r\nd\n").map(\.line) == [1, 3, 5])
    }

    @Test(arguments: [
        ("ok\na\"b\n", CSVError(.strayQuote, line: 2, column: 2)),
        ("\"a\"b\n", CSVError(.textAfterQuote, line: 1, column: 4)),
        ("x,\"a\nb", CSVError(.unterminatedQuote, line: 1, column: 3)),
        ("a\u{0}b\n", CSVError(.nullByte, line: 1, column: 2)),
        ("abcdefghi\n", CSVError(.fieldLength, line: 1, column: 9)),
        ("a,b,c,d,e\n", CSVError(.fieldCount, line: 1, column: 10)),
        ("aaaaaa,bbbbbb,cc\n", CSVError(.recordLength, line: 1, column: 15)),
    ])
    func `what is wrong is told with line and column`(text: String, expected: CSVError) throws {
        var limits = CSVLimits()
        limits.fieldBytes = 8
        limits.recordBytes = 12
        limits.fields = 4
        #expect(throws: expected) { try read(text, limits: limits) }
    }

    @Test func `bytes that are no UTF-8 are refused`() throws {
        var reader = CSVReader()
        #expect(throws: CSVError(.notUTF8, line: 1, column: 3)) {
            try [UInt8]([0x61, 0x2C, 0xFF, 0x0A]).withUnsafeBytes { try reader.feed($0) }
        }
        #expect(throws: CSVError.self) { try reader.finish() }
    }

    @Test func `records before what is wrong are given out`() throws {
        var reader = CSVReader()
        var records: [CSVRecord] = []
        #expect(throws: CSVError(.strayQuote, line: 3, column: 2)) {
            try Array("a,b\n1,2\n3\"".utf8).withUnsafeBytes { try reader.feed($0, into: &records) }
        }
        #expect(records.map(\.fields) == [["a", "b"], ["1", "2"]])
    }

    @Test func `any ASCII character can keep fields apart, but no quote and no line end`() throws {
        #expect(try read("a;b,c\n", dialect: .semicolon).map(\.fields) == [["a", "b,c"]])
        #expect(CSVDialect(delimiter: "|")?.delimiter == UInt8(ascii: "|"))
        for character in ["\"", "\n", "\r", "ä", "\u{0}"] as [Character] {
            #expect(CSVDialect(delimiter: character) == nil)
        }
    }

    @Test func `columns are found by name`() throws {
        let header = try #require(CSVHeader(CSVRecord(line: 1, fields: [" time ", "value", ""])))
        #expect(header["value", in: CSVRecord(line: 2, fields: ["t", "v"])] == "v")
        #expect(header["value", in: CSVRecord(line: 2, fields: ["t"])] == nil)
        #expect(header.index(of: "time") == 0)
        #expect(CSVHeader(CSVRecord(line: 1, fields: ["a", "a"])) == nil)
    }

    @Test func `what is written is read back`() throws {
        let seed = UInt64.random(in: 1 ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("ab,;\"\r\n\t =+-@ä'0")
        for _ in 0..<300 {
            let rows = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    String(
                        (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                            alphabet.randomElement(using: &generator) ?? "a"
                        })
                }
            }
            var output: [UInt8] = []
            for row in rows { CSVWriter().write(row, to: &output) }
            let text = String(decoding: output, as: UTF8.self)
            #expect(try read(text).map(\.fields) == rows, "seed \(seed)")
        }
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-12.5", "-12.5"), ("-a", "'-a"), ("@x", "'@x"),
        ("\tx", "'\tx"), ("=\"a\"", "\"'=\"\"a\"\"\""), ("plain", "plain"), ("＝1", "'＝1"),
    ])
    func `formulas are made harmless when asked`(field: String, written: String) {
        #expect(CSVWriter(protectsFormulas: true).line([field, "x"]) == written + ",x\r\n")
        #expect(!CSVWriter().line([field, "x"]).contains("'"))
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
