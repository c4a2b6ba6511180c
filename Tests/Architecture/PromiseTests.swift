import StoreContracts
import Testing

/// The ports promise in sentences, and each sentence is held by something: `Docs/Internals/promises.txt` says by what.
@Suite struct PromiseTests {
    /// Sentence and what holds it, by protocol.
    private static func held() throws -> [String: [(sentence: String, by: String)]] {
        var result: [String: [(sentence: String, by: String)]] = [:]
        var name: String?
        var sentence: String?
        for line in try SourceTree.text(of: "Docs/Internals/promises.txt").split(separator: "\n") {
            if line.hasPrefix("# ") {
                name = String(line.dropFirst(2))
            } else if let name, let open = sentence, line.hasPrefix("    ") {
                result[name, default: []].append((open, String(line.dropFirst(4))))
                sentence = nil
            } else if name != nil {
                #expect(sentence == nil, "promises.txt: nothing holds: \(sentence ?? "")")
                sentence = String(line)
            }
        }
        return result
    }

    @Test func `every sentence of a port is held by something, and what is held is still said`() throws {
        let held = try Self.held()
        let said = PortSentences.byProtocol()
        for (name, sentences) in said where !ContractCatalogue.notStores.contains(name) {
            #expect(
                ContractCatalogue.protocols[name] != nil,
                "\(name): no contract; name it in ContractCatalogue, or why it needs none")
            let known = held[name, default: []].map(\.sentence)
            for sentence in sentences where !known.contains(sentence) {
                Issue.record("\(name): nothing in Docs/Internals/promises.txt holds: \(sentence)")
            }
            for sentence in known where !sentences.contains(sentence) {
                Issue.record("promises.txt: \(name) no longer says: \(sentence)")
            }
        }
        for name in Set(held.keys).union(ContractCatalogue.protocols.keys).sorted() {
            #expect(said[name] != nil, "there is no port \(name)")
        }
        #expect(said.values.map(\.count).reduce(0, +) > 90, "the test read too few sentences to mean anything")
    }

    @Test func `every clause holds a sentence, and every clause that is named is there`() throws {
        let clauses = ContractCatalogue.ports.flatMap { $0.clauses.map(\.id) }
        #expect(Set(clauses).count == clauses.count, "two clauses have one name")
        let suites = Set(
            SourceTree.swiftFiles(in: "Tests").flatMap(\.lines).compactMap { line in
                line.firstMatch(of: /struct (\w+Tests)\b/).map { String($0.output.1) }
            })
        var used: Set<String> = []
        for (name, promises) in try Self.held() {
            for promise in promises where !promise.by.hasPrefix("(") {
                if promise.by.hasPrefix("test ") {
                    for suite in promise.by.dropFirst(5).split(separator: " ") {
                        #expect(suites.contains(String(suite)), "\(name): no suite \(suite)")
                    }
                    continue
                }
                for id in promise.by.split(separator: " ") {
                    let matches =
                        id.hasSuffix("*")
                        ? clauses.filter { $0.hasPrefix(id.dropLast()) } : clauses.filter { $0 == id }
                    #expect(!matches.isEmpty, "\(name): no clause \(id)")
                    used.formUnion(matches)
                }
            }
        }
        for clause in clauses where !used.contains(clause) {
            Issue.record("\(clause) holds no sentence of its port: say in the doc comment what it proves")
        }
    }

    @Test func `every store has its suite`() throws {
        for (layer, targets) in try SourceTree.targets() where layer == "Engines" || layer == "Adapters" {
            for target in targets {
                let stores = SourceTree.swiftFiles(in: "Sources/\(layer)/\(target)").flatMap { file in
                    file.lines.flatMap { Self.ports(of: $0) }
                }
                guard !stores.isEmpty else { continue }
                let tests = SourceTree.swiftFiles(in: "Tests/\(layer)/\(target)Tests")
                    .flatMap(\.lines).joined(separator: "\n")
                for port in Set(stores).sorted() {
                    #expect(
                        tests.contains("ContractReport.shared.check(") && tests.contains("port: \"\(port)\""),
                        "\(layer)/\(target) holds a store of the port \(port) whose contract it does not run")
                }
            }
        }
    }

    /// The ports that a declaration in `line` says it implements.
    private static func ports(of line: String) -> [String] {
        guard
            let match = line.firstMatch(
                of: /^\s*(?:package |public |private )?(?:final )?(?:class|struct|actor|extension) \w+\s*:\s*([^{]*)/)
        else { return [] }
        return match.output.1.split { !$0.isLetter && !$0.isNumber }.compactMap {
            ContractCatalogue.protocols[String($0)]
        }
    }
}
