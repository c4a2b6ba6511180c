import LineProtocol
import Testing
import VigilModel

@Suite struct LineDecoderTests {
    @Test func `a line becomes one row of its source`() throws {
        let decoded = decode("cpu,host=a,zone=b usage=1.5,count=3i,on=t,note=\"x\" 1700000000000001000\n")
        #expect(decoded.problems.isEmpty)
        let table = try #require(decoded.batch.tables.first)
        #expect(table.source.measurement == "cpu")
        #expect(table.source.labels == ["host": "a", "zone": "b"])
        #expect(table.times == [1_700_000_000_000_001])
        #expect(table.columns.map(\.field) == ["usage", "count", "on", "note"])
        #expect(table.columns.map { $0[0] } == [.float(1.5), .integer(3), .boolean(true), .text("x")])
    }

    @Test(arguments: [1, 3, 17, .max])
    func `each row knows the line on which it begins`(_ chunk: Int) {
        let text = "# a\nm f=1\n\nbad\nm f=\"x\ny\nz\"\r\nm f=3\nn,t= f=4\n  \nm g=1,f=\"open\nm f=5\nm f=6"
        let decoded = decode(text, chunk: chunk)
        #expect(decoded.batch.rows.rows.indices.map { decoded.lines.line(of: $0) } == [2, 5, 8, 12, 13])
        #expect(decoded.problems.map(\.line) == [4, 9, 11])
    }

    @Test func `fields of the measurement _ are whole metric names`() {
        let decoded = decode("_,room=a temperature=1,trail_=2,_lead=3\n_x f=4\n")
        #expect(decoded.problems.isEmpty)
        #expect(decoded.batch.readings.map(\.metric) == ["temperature", "trail_", "_lead", "_x_f"])
    }

    @Test(arguments: [
        ("m f=t", ReadingValue.boolean(true)), ("m f=T", .boolean(true)), ("m f=true", .boolean(true)),
        ("m f=True", .boolean(true)), ("m f=TRUE", .boolean(true)), ("m f=f", .boolean(false)),
        ("m f=F", .boolean(false)), ("m f=false", .boolean(false)), ("m f=False", .boolean(false)),
        ("m f=FALSE", .boolean(false)), ("m f=1", .float(1)), ("m f=-1.25e2", .float(-125)), ("m f=+.5", .float(0.5)),
        ("m f=5.", .float(5)), ("m f=1E3", .float(1000)), ("m f=-0", .float(-0.0)),
        ("m f=123456789012345678901234567890", .float(1.2345678901234568e29)),
        ("m f=4.9e-324", .float(.leastNonzeroMagnitude)), ("m f=9223372036854775807i", .integer(.max)),
        ("m f=-9223372036854775808i", .integer(.min)), ("m f=9223372036854775807u", .integer(.max)),
        ("m f=\"a\\\"b\\\\c\\d\"", .text("a\"b\\c\\d")), ("m f=\"\"", .text("")), ("m f=\"a=b, c\"", .text("a=b, c")),
        ("m f=\"日本\"", .text("日本")),
    ])
    func `values are read in all their forms`(line: String, expected: ReadingValue) {
        let decoded = decode(line)
        #expect(decoded.problems.isEmpty)
        #expect(decoded.batch.readings.map(\.value) == [expected])
        #expect(decoded.batch.readings.first?.time == arrival.microseconds)
    }

    @Test(arguments: [
        ("", 0, nil as String?), ("# comment", 0, nil), ("   ", 0, nil),
        (",a=b f=1", 1, "measurement_missing"), ("m", 2, "fields_missing"), ("m ", 3, "fields_missing"),
        ("m,a f=1", 4, "tag_malformed"), ("m,a=b=c f=1", 6, "tag_malformed"), ("m,a= f=1", 3, "tag_empty"),
        ("m,=b f=1", 3, "tag_empty"), ("m,a=1,a=2 f=1", 7, "tag_duplicate"), ("m,tenant=x f=1", 3, "tag_reserved"),
        ("m,__name__=x f=1", 3, "tag_reserved"), ("__m f=1", 1, "measurement_reserved"),
        ("_ __journal=1", 3, "field_reserved"), ("m __f=1", 3, "field_reserved"), ("m,a=b, f=1", 7, "tag_malformed"),
        ("m f", 3, "field_malformed"),
        ("m f=", 5, "value_missing"), ("m f=,g=1", 5, "value_missing"), ("m f=1,", 7, "field_malformed"),
        ("m f=1,f=2", 7, "field_duplicate"), ("m f=1,f=2i", 7, "field_duplicate"), ("m f=x", 5, "value_malformed"),
        ("m f=1x", 5, "value_malformed"), ("m f=--1", 5, "value_malformed"), ("m f=1e", 5, "value_malformed"),
        ("m f=.", 5, "value_malformed"), ("m f=1.5i", 5, "value_malformed"), ("m f=-1u", 5, "value_malformed"),
        ("m f=NaN", 5, "value_malformed"), ("m f=truex", 5, "value_malformed"), ("m f=1e400", 5, "number_range"),
        ("m f=9223372036854775808i", 5, "integer_range"), ("m f=99999999999999999999i", 5, "integer_range"),
        ("m f=9223372036854775808u", 5, "unsigned_range"), ("m f=\"abc", 9, "text_unterminated"),
        ("m f=\"abc\"x", 10, "value_malformed"), ("m f=1 x", 7, "time_malformed"), ("m f=1 1 2", 8, "time_malformed"),
        ("m f=1 1.5", 8, "time_malformed"), ("m f=1 99999999999999999999999", 7, "time_range"),
        ("m f=\"a\u{0}\"", 7, "null_byte"), ("m\u{0} f=1", 2, "null_byte"), ("m f\u{0}=1", 3, "null_byte"),
    ])
    func `bad lines are refused with column and reason`(line: String, column: Int, code: String?) {
        for chunk in [1, 5, .max] {
            let decoded = decode("ok f=1\n" + line + "\nok f=2", chunk: chunk)
            #expect(decoded.problems.map(\.reason.code) == (code.map { [$0] } ?? []))
            #expect(decoded.goodLineCount == 2)
            #expect(decoded.refusedLineCount == (code == nil ? 0 : 1))
            #expect(decoded.batch.readings.map(\.value) == [.float(1), .float(2)])
            if code != nil {
                #expect(decoded.problems.first?.line == 2)
                #expect(decoded.problems.first?.column == column)
            }
        }
    }

    @Test func `backslashes take the meaning of separators away`() {
        let decoded = decode(#"my\ m\,x=y,a\=b\,c=d\ e\\f f\ g\=h=1"#)
        #expect(decoded.batch.readings.map(\.metric) == ["my m,x=y_f g=h"])
        #expect(decoded.batch.readings.first?.labels == ["a=b,c": #"d e\\f"#])
    }

    @Test func `invalid UTF-8 is refused wherever it stands`() {
        for line in [[0x6D, 0xFF, 0x20, 0x66, 0x3D, 0x31], [0x6D, 0x20, 0xC0, 0x3D, 0x31]] as [[UInt8]] {
            #expect(decode(line).problems.map(\.reason) == [.notUTF8])
        }
        #expect(
            decode(Array("m f=\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"".utf8)).problems.map(\.reason) == [.notUTF8])
    }

    @Test(arguments: [
        (LinePrecision.nanoseconds, "-1", -1 as Int64), (.nanoseconds, "1999", 1), (.microseconds, "7", 7),
        (.milliseconds, "-7", -7000), (.seconds, "7", 7_000_000), (.minutes, "7", 420_000_000),
        (.hours, "7", 25_200_000_000),
    ])
    func `times are read in the unit of the request`(precision: LinePrecision, text: String, expected: Int64) {
        #expect(decode("m f=1 \(text)", precision: precision).batch.readings.map(\.time) == [expected])
        #expect(LinePrecision(precision.name) == precision)
    }

    @Test func `times that were cut to microseconds are counted`() {
        #expect(decode("m f=1 1000\nm f=1 1001\nm f=1 -1").truncatedTimeCount == 2)
    }

    @Test func `times outside the accepted range are refused line by line`() {
        let decoded = decode(
            Array("m f=1 99\nm f=2 100\nm f=3 200\nm f=4 201".utf8), precision: .seconds,
            accepted: Timestamp(seconds: 100)...Timestamp(seconds: 200))
        #expect(decoded.problems.map(\.line) == [1, 4])
        #expect(decode("m f=1 999999999999", precision: .hours).problems.map(\.reason) == [.timeRange])
        #expect(decode("m f=1 9999999999999999", precision: .hours).problems.map(\.reason) == [.timeRange])
    }

    @Test func `strings may hold line ends, and lines are counted as an editor counts them`() {
        for chunk in [1, 3, .max] {
            let decoded = decode("m f=\"a\nb\r\nc\" 1000\r\nbad\r\nm f=\"d\" 2000\r\n", chunk: chunk)
            #expect(decoded.batch.readings.map(\.value) == [.text("a\nb\r\nc"), .text("d")])
            #expect(decoded.problems.map(\.line) == [4])
        }
    }

    @Test func `a string without an end costs only its own line`() {
        for chunk in [1, 4, .max] {
            let decoded = decode("m f=\"a\nm f=1\nm f=2\n", chunk: chunk)
            #expect(decoded.batch.readings.map(\.value) == [.float(1), .float(2)])
            #expect(decoded.problems.map(\.reason) == [.textUnterminated])
        }
    }

    @Test func `a field that some rows lack marks them as absent, and one that changes its kind keeps both`() throws {
        let decoded = decode("m a=1,b=2 1000\nm b=3 2000\nm a=4i 3000\nm c=t,a=5 4000")
        let table = try #require(decoded.batch.tables.first)
        #expect(decoded.batch.tables.count == 1)
        #expect(table.columns.map(\.field) == ["a", "b", "a", "c"])
        #expect(table.columns.map(\.values.kind) == [.float, .float, .integer, .boolean])
        #expect(
            table.columns.map { column in (0..<4).map { column[$0]?.number } } == [
                [1, nil, nil, 5], [2, 3, nil, nil], [nil, nil, 4, nil], [nil, nil, nil, 1],
            ])
    }

    @Test func `lines with ever new fields keep their order and cannot make memory grow`() {
        let lines = (0..<2000).map { "m f\($0)=\($0),x=\($0) 1000" }.joined(separator: "\n")
        let batch = decode(lines).batch
        #expect(batch.readingCount == 4000)
        #expect(batch.tables.reduce(0) { $0 + $1.times.count * $1.columns.count } < 200_000)
        let last = batch.readings.filter { $0.metric == "m_x" }.map(\.value)
        #expect(last == (0..<2000).map { .float(Double($0)) })
    }
}
