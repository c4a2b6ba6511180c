import LineProtocol
import Testing
import VigilModel

@Suite struct LinePropertyTests {
    @Test func `floats are read as the standard library reads them`() {
        let seed = UInt64.random(in: 1 ... .max)
        var generator = SeededGenerator(seed: seed)
        var texts = ["0.30000000000000004", "9007199254740993", "9007199254740993e1", "18446744073709551615e-27"]
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let value = Double(bitPattern: generator.next())
                if value.isFinite { texts.append("\(value)") }
            case 1: texts.append("\(Double.random(in: -1000...1000, using: &generator))")
            case 2:
                let digits = String(generator.next() % 10_000_000_000_000_000_000)
                texts.append(digits + "e\(Int.random(in: -40...40, using: &generator))")
            default:
                texts.append("\(Int.random(in: -9999...9999, using: &generator)).\(generator.next() % 1_000_000)")
            }
        }
        let decoded = decode(texts.map { "m f=\($0)" }.joined(separator: "\n"))
        #expect(decoded.problems.isEmpty, "seed \(seed)")
        let read = decoded.batch.readings.map(\.value)
        let wrong = zip(texts, read).filter { text, value in
            guard case .float(let float) = value else { return true }
            return float.bitPattern != Double(text)?.bitPattern
        }
        #expect(wrong.isEmpty, "seed \(seed)")
    }

    @Test func `what is written is read back`() {
        let seed = UInt64.random(in: 1 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let batch = randomBatch(&generator)
            var writer = LineWriter()
            var output: [UInt8] = []
            writer.write(batch, to: &output)
            let decoded = decode(output, chunk: Int.random(in: 1...64, using: &generator))
            #expect(writer.omittedValueCount == 0, "seed \(seed)")
            #expect(decoded.problems.isEmpty, "seed \(seed)")
            #expect(Set(decoded.batch.readings) == Set(batch.readings), "seed \(seed)")
        }
    }

    @Test func `what line protocol cannot say is left out and counted`() {
        var writer = LineWriter()
        var output: [UInt8] = []
        let table = ReadingTable(
            source: SeriesSource(device: nil, measurement: "m"), times: [0, 1],
            columns: [
                ReadingColumn(field: "f", values: .floats([.nan, 1])),
                ReadingColumn(field: "", values: .integers([1, 2])),
            ])
        writer.write(table, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "m f=1.0 1000\n")
        #expect(writer.omittedValueCount == 3)
    }

    @Test func `hostile bytes never crash, and every line is counted`() {
        let seed = UInt64.random(in: 1 ... .max)
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "m", ",", "=", " ", "\n", "\\", "\"", "f=1", "1i", "t", "\r\n", "\u{0}", "ä", "-", "1e9", "#", "m f=1\n",
        ]
        for _ in 0..<500 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...80, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes += Array((pieces.randomElement(using: &generator) ?? "").utf8)
                } else {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            var limits = LineLimits()
            limits.lineBytes = 40
            let whole = decode(bytes, limits: limits)
            let split = decode(bytes, limits: limits, chunk: Int.random(in: 1...9, using: &generator))
            let lines = bytes.count { $0 == 10 } + 1
            #expect(whole.goodLineCount + whole.refusedLineCount <= lines, "seed \(seed)")
            #expect(whole.batch.readings.map(\.description) == split.batch.readings.map(\.description), "seed \(seed)")
            #expect(whole.problems == split.problems, "seed \(seed)")
        }
    }

    private func randomBatch(_ generator: inout SeededGenerator) -> ReadingBatch {
        func text(_ range: ClosedRange<Int>, _ alphabet: String) -> String {
            let letters = Array(alphabet)
            return String(
                (0..<Int.random(in: range, using: &generator)).map { _ in
                    letters.randomElement(using: &generator) ?? "x"
                })
        }
        let tables = (0..<Int.random(in: 1...3, using: &generator)).map { number in
            let source = SeriesSource(
                device: nil, measurement: "m\(number)" + text(0...4, "a, =\\ä") + "z",
                labels: [text(1...3, "a =,") + "k": text(0...3, "\\ ,=\"") + "v", "n": "\(number)"])
            let rows = Int.random(in: 1...5, using: &generator)
            let fields = Int.random(in: 1...4, using: &generator)
            let columns = (0..<fields).map { field in
                ReadingColumn(
                    field: text(0...3, "a =,\\\"") + "f\(field)",
                    values: randomValues(rows, &generator, texts: (0..<rows).map { _ in text(0...6, "a\"\\\n\r =,ä") }),
                    present: field == 0 ? nil : (0..<rows).map { _ in Bool.random(using: &generator) })
            }
            return ReadingTable(
                source: source,
                times: (0..<rows).map { _ in Int64.random(in: -1_000_000_000...1_000_000_000_000, using: &generator) },
                columns: columns)
        }
        return ReadingBatch(tables: tables, arrival: arrival)
    }

    private func randomValues(
        _ rows: Int, _ generator: inout SeededGenerator, texts: [String]
    ) -> ReadingColumn.Values {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .floats((0..<rows).map { _ in Double.random(in: -1e6...1e6, using: &generator) })
        case 1: .integers((0..<rows).map { _ in Int64.random(in: .min ... .max, using: &generator) })
        case 2: .booleans((0..<rows).map { _ in Bool.random(using: &generator) })
        default: .texts(texts)
        }
    }
}
