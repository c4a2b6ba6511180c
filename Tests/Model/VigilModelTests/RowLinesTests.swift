import Testing
import VigilModel

@Suite struct RowLinesTests {
    private func made(_ lines: [Int]) -> RowLines {
        var made = RowLines()
        for (row, line) in lines.enumerated() { made.note(line, of: row) }
        return made
    }

    @Test(arguments: [
        [1, 2, 3, 4], [2, 3, 4], [1, 3, 4, 9, 10], [5], [1, 1, 1], [7, 6, 5], [0, 0, 3],
    ])
    func `each row stands where it was said`(_ lines: [Int]) {
        let made = made(lines)
        #expect(lines.indices.map { made.line(of: $0) } == lines)
    }

    @Test func `nobody said anything`() {
        #expect(RowLines().line(of: 3) == 0)
        #expect(RowLines().keeping(of: 4) { $0 > 1 }.line(of: 0) == 0)
    }

    @Test func `what is kept of random rows stands where it stood`() {
        for _ in 0..<200 {
            var lines: [Int] = []
            var line = 0
            for _ in 0..<Int.random(in: 0...60) {
                line += Int.random(in: 0..<4) == 0 ? Int.random(in: 2...50) : 1
                lines.append(line)
            }
            let kept = lines.indices.filter { _ in Int.random(in: 0..<3) > 0 }
            let isKept = Set(kept)
            let after = made(lines).keeping(of: lines.count) { isKept.contains($0) }
            #expect(kept.indices.map { after.line(of: $0) } == kept.map { lines[$0] })
        }
    }
}
