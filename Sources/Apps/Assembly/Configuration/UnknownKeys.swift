import Foundation
import VigilInterface
import Yams

/// Refuses what looks like configuration but is none: a key that nobody reads would be believed to hold.
enum UnknownKeys {
    /// Checks the names in a YAML file and the variables of the environment.
    ///
    /// - Throws: ``ConfigurationFault`` that names the key, its line, and the key that was perhaps meant.
    static func refuse(file: String?, environment: [String: String]) throws {
        let known = ConfigurationKey.all
        if let file { try refuse(inFile: file, Set(known.map(\.name))) }
        let variables = Set(known.map(\.environmentName))
        // Other programs may have variables that begin with VIGIL_; ours are told by their second word.
        let families = Set(
            known.map(\.name).filter { $0.contains(".") }
                .map { "VIGIL_" + $0.prefix { $0 != "." }.uppercased() + "_" })
        for name in environment.keys.sorted() where families.contains(where: name.hasPrefix) {
            guard !variables.contains(name) else { continue }
            throw ConfigurationFault(
                unknown: name, line: nil, source: "environment", nearest: Nearest.name(to: name, among: variables))
        }
    }

    private static func refuse(inFile file: String, _ known: Set<String>) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ConfigurationFault(
                key: "config", value: file, allowed: "a YAML file that can be read", source: "flag")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationFault(notYAML: file, reason: "\(error)")
        }
        guard let root else { return }
        guard case .mapping(let mapping) = root else {
            throw ConfigurationFault(notYAML: file, reason: "the file must hold keys and values")
        }
        try walk(mapping, below: "", known)
    }

    private static func walk(_ mapping: Node.Mapping, below path: String, _ known: Set<String>) throws {
        for (key, value) in mapping {
            let name = path + (key.string ?? "")
            if case .mapping(let inner) = value, known.contains(where: { $0.hasPrefix(name + ".") }) {
                // A key with keys below it has its own value beside them.
                let own = known.contains(name) ? [name + "." + ConfigurationKey.ownName] : []
                try walk(inner, below: name + ".", known.union(own))
                continue
            }
            if known.contains(name) { continue }
            throw ConfigurationFault(
                unknown: name, line: key.mark?.line, source: "vigil.yaml", nearest: Nearest.name(to: name, among: known)
            )
        }
    }
}

extension ConfigurationFault {
    /// A key that does not exist.
    init(unknown key: String, line: Int?, source: String, nearest: String?) {
        let place = line.map { "\(source), line \($0)" } ?? source
        let hint = nearest.map { "; did you mean \($0)?" } ?? ""
        self.init(
            key: key, value: nil, allowed: "a known key", source: source,
            text: "configuration: \(key) (from \(place)) is no key of Vigil\(hint)")
    }

    /// A file that is not YAML.
    init(notYAML file: String, reason: String) {
        self.init(
            key: "config", value: file, allowed: "a YAML file", source: "flag",
            text: "configuration: \(file) is not a YAML file of keys and values: \(reason)")
    }
}
