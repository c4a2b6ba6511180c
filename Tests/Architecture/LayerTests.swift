import Testing

/// The layers of `Docs/ARCHITECTURE.md`: what each may import of ours.
///
/// The package manager does not enforce this: it lets a target import whatever its dependencies happen to bring along.
@Suite struct LayerTests {
    static let mayImport: [String: Set<String>] = [
        "Foundations": [],
        "Model": [],
        "Languages": ["Model", "Foundations"],
        "Ports": ["Model"],
        "Engines": ["Ports", "Languages", "Model", "Foundations"],
        "Adapters": ["Ports", "Languages", "Model", "Foundations"],
        "Queries": ["Ports", "Languages", "Model"],
        "Services": ["Queries", "Ports", "Languages", "Model"],
        "Interface": ["Services", "Queries", "Ports", "Languages", "Model"],
        "Packs": ["Interface", "Services", "Queries", "Ports", "Languages", "Model"],
        "Server": ["Interface", "Services", "Queries", "Ports", "Languages", "Model", "Foundations"],
        "Apps": [
            "Server", "Packs", "Interface", "Services", "Queries", "Adapters", "Engines", "Ports", "Languages", "Model",
            "Foundations",
        ],
        "Libraries": [
            "Apps", "Server", "Packs", "Interface", "Services", "Queries", "Ports", "Languages", "Model",
        ],
    ]

    /// Members of one layer import each other only here, each with its reason.
    static let exceptions: Set<[String]> = [
        // The file seam and the checksums are shared by everything that writes files.
        ["SQLiteKit", "StorageKit"],
        // The command line sees the assembled application, never its parts.
        ["vigil", "Assembly"],
    ]

    @Test func `every import follows the direction of the layers`() throws {
        let targets = try SourceTree.targets()
        var layerOf: [String: String] = [:]
        for (layer, names) in targets { for name in names { layerOf[name] = layer } }
        #expect(Set(targets.keys).isSubset(of: Set(Self.mayImport.keys)), "a layer that the table does not know")
        var checked = 0
        for (layer, names) in targets {
            for name in names {
                for file in SourceTree.swiftFiles(in: "Sources/\(layer)/\(name)") {
                    for (module, line) in imports(of: file) {
                        guard let other = layerOf[module], module != name else { continue }
                        // C shims belong to the one target of their layer that wraps them.
                        if other == layer, module.hasPrefix("C"), module.dropFirst().first?.isUppercase == true {
                            continue
                        }
                        checked += 1
                        let isAllowed =
                            Self.mayImport[layer, default: []].contains(other)
                            || Self.exceptions.contains([name, module])
                        #expect(isAllowed, "\(file.path):\(line): \(layer)/\(name) must not import \(other)/\(module)")
                    }
                }
            }
        }
        #expect(checked > 20, "the test read too few imports to mean anything")
    }

    @Test func `only the interface to the transport knows an HTTP framework`() {
        let frameworks: Set<String> = ["Hummingbird", "HummingbirdCore", "HummingbirdTLS", "NIOHTTP1", "NIOWebSocket"]
        for layer in ["Model", "Languages", "Ports", "Engines", "Queries", "Services", "Interface", "Packs"] {
            for file in SourceTree.swiftFiles(in: "Sources/\(layer)") {
                for (module, line) in imports(of: file) {
                    #expect(!frameworks.contains(module), "\(file.path):\(line): \(layer) must not import \(module)")
                }
            }
        }
    }

    @Test func `only SQLiteKit opens SQLite files`() {
        for file in SourceTree.swiftFiles(in: "Sources") where !file.path.hasPrefix("Sources/Foundations/SQLiteKit/") {
            for (module, line) in imports(of: file) {
                #expect(module != "GRDB", "\(file.path):\(line): only SQLiteKit imports GRDB")
            }
        }
    }

    private func imports(of file: SourceTree.File) -> [(module: String, line: Int)] {
        file.lines.enumerated().compactMap { index, line in
            guard let match = line.wholeMatch(of: Self.importLine) else { return nil }
            return (String(match.output.1), index + 1)
        }
    }

    nonisolated(unsafe) private static let importLine =
        /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |private |fileprivate )?import (?:struct |class |enum |func |protocol |typealias )?(\w+)(?:\..*)?\s*$/
}
