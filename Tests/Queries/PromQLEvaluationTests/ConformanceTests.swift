import Foundation
import PatternKit
import PromQL
import PromQLEvaluation
import Testing
import VigilModel

let testScope = AccessScope(tenant: TenantID(high: 1, low: 1))

let testPatterns = PatternEngine { text in
    guard let pattern = Pattern(text) else { return nil }
    var names: [String: Int] = [:]
    for group in 1..<max(1, pattern.groupCount + 1) {
        if let name = pattern.name(ofGroup: group) { names[name] = group }
    }
    return PatternEngine.Compiled(groups: { pattern.groups(inWhole: $0) }, names: names)
}

/// Prometheus' own tests of the language, read where they lie.
@Suite struct ConformanceTests {
    static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment
        let shared = environment["VIGIL_SHARED"] ?? FileManager.default.currentDirectoryPath + "/../shared"
        let folder = URL(fileURLWithPath: shared).appendingPathComponent("corpora/promql")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// Runs every file, and prints for each how many cases hold.
    @Test func `the language gives what Prometheus gives`() async throws {
        guard let folder = Self.folder else {
            let required = ProcessInfo.processInfo.environment["VIGIL_REQUIRE"] ?? ""
            #expect(!required.split(separator: ",").contains("corpora"), "the PromQL corpus is absent")
            print("SKIPPED: the PromQL corpus is absent")
            return
        }
        var total = Tally()
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        where file.hasSuffix(".test") {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            let tally = await ConformanceRun(file).run(ConformanceScript(text))
            print("\(file): \(tally.passed) passed, \(tally.failures.count) failed, \(tally.skipped) out of scope")
            for failure in tally.failures { print("  \(failure)") }
            total.passed += tally.passed
            total.skipped += tally.skipped
            total.failures += tally.failures
        }
        print(
            "all: \(total.passed) passed, \(total.failures.count) failed, \(total.skipped) out of scope: native histograms"
        )
        #expect(total.failures.isEmpty)
        #expect(total.passed > 0)
    }
}

struct Tally {
    var passed = 0
    var skipped = 0
    var failures: [String] = []
}

/// Runs one script against an engine over a store of its own.
struct ConformanceRun {
    let name: String
    let store = MemorySeriesStore()

    init(_ name: String) { self.name = name }

    func run(_ script: ConformanceScript) async -> Tally {
        var tally = Tally()
        var nativeMetrics: Set<String> = []
        for command in script.commands {
            switch command {
            case .clear:
                store.clear()
                nativeMetrics = []
            case .load(let step, let series, let native): load(series, step, native, &nativeMetrics)
            case .evaluation(let evaluation):
                if isOutOfScope(evaluation, nativeMetrics) {
                    tally.skipped += 1
                } else if let failure = await failure(of: evaluation) {
                    tally.failures.append("\(name):\(evaluation.line): \(evaluation.query): \(failure)")
                } else {
                    tally.passed += 1
                }
            }
        }
        return tally
    }

    private func load(_ lines: [String], _ step: Double, _ native: Bool, _ nativeMetrics: inout Set<String>) {
        for line in lines {
            guard let (identity, values) = ConformanceScript.series(line) else {
                nativeMetrics.insert(String(line.prefix { $0 != "{" && $0 != " " && $0 != "\t" }))
                continue
            }
            if native { nativeMetrics.insert(identity.metric.replacing("_bucket", with: "")) }
            let samples = values.enumerated().compactMap { index, value in
                value.map { (Int64((Double(index) * step * 1_000_000).rounded()), $0) }
            }
            store.put(identity, samples)
        }
    }

    /// Cases about native histograms: their results hold some, or their query names a metric that does.
    private func isOutOfScope(_ evaluation: ConformanceScript.Evaluation, _ nativeMetrics: Set<String>) -> Bool {
        if evaluation.results.contains(where: { $0.contains("{{") || $0.contains("{count:") }) { return true }
        guard !nativeMetrics.isEmpty else { return false }
        let query = evaluation.query
        let words = query.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }.map(String.init)
        let quoted = query.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? Pattern(String($0.element)) : nil }
        if quoted.contains(where: { nativeMetrics.contains(where: $0.matchesWhole) }) { return true }
        let isMixed = evaluation.expectations.contains { $0.kind == "info" || $0.kind == "warn" }
        return words.contains(where: nativeMetrics.contains) || (isMixed && query.contains("{"))
            || (isMixed && nativeMetrics.contains { query.contains($0) })
    }

    private func failure(of evaluation: ConformanceScript.Evaluation) async -> String? {
        let engine = PromQLEngine(store: store, clock: StillClock(), patterns: testPatterns)
        let start = Timestamp(microseconds: Int64((evaluation.start * 1e6).rounded()))
        let fails = evaluation.expectations.filter { $0.kind == "fail" }
        do {
            let result: QueryResult
            if let end = evaluation.end {
                result = try await engine.range(
                    evaluation.query, from: start, to: Timestamp(microseconds: Int64((end * 1e6).rounded())),
                    step: Span(microseconds: Int64((evaluation.step * 1_000_000).rounded())), in: testScope)
            } else {
                result = try await engine.instant(evaluation.query, at: start, in: testScope)
            }
            guard fails.isEmpty else { return "should have failed" }
            return ConformanceComparison(evaluation, result).difference
        } catch {
            guard !fails.isEmpty else { return "failed: \(error)" }
            return fails.first { !ConformanceComparison.matches($0, error.message) }
                .map { "failed otherwise: \(error), expected \($0.text)" }
        }
    }
}
