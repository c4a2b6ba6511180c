import Configuration
import Foundation
import VigilServices

/// What holds, and who said so: flags, then the environment, then `vigil.yaml`, then the defaults.
package struct LoadedConfiguration: Sendable {
    /// A key's value with its source.
    package struct Entry: Sendable, Hashable {
        package let key: ConfigurationKey
        package let values: [String]
        /// `flag`, `environment`, the name of a reference variable, `vigil.yaml`, `default`.
        package let source: String

        /// The value for people: a secret shows only that it is set.
        package var shown: String { key.isSecret ? "(set)" : values.joined(separator: ", ") }
    }

    package let entries: [String: Entry]

    /// - Throws: ``ConfigurationFault`` for a value that is not allowed, or a file that cannot be read.
    package static func load(
        flags: [String: String], environment: [String: String] = ProcessInfo.processInfo.environment, file: String?
    ) async throws -> LoadedConfiguration {
        var sources: [(name: String, provider: any ConfigProvider)] = [
            ("flag", memory("flag", flags)),
            ("environment", EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "vigil")),
            ("reference variables", memory("reference variables", ReferenceVariables.values(in: environment))),
        ]
        try ReferenceVariables.check(environment)
        try UnknownKeys.refuse(file: file, environment: environment)
        if let file {
            do {
                let place = ConfigReader(
                    provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(file), isSecret: false)]))
                sources.append(("vigil.yaml", try await FileProvider<YAMLSnapshot>(config: place)))
            } catch {
                throw ConfigurationFault(
                    key: "config", value: file, allowed: "a YAML file that can be read", source: "flag")
            }
        }
        var entries: [String: Entry] = [:]
        for key in ConfigurationKey.all {
            entries[key.name] = try entry(key, sources) {
                ReferenceVariables.variable(for: key.name, in: environment)
            }
        }
        return LoadedConfiguration(entries: entries)
    }

    private static func memory(_ name: String, _ values: [String: String]) -> InMemoryProvider {
        InMemoryProvider(
            name: name,
            values: Dictionary(
                uniqueKeysWithValues: values.map { key, value in
                    let key = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
                    return (key, ConfigValue(.string(value), isSecret: false))
                }))
    }

    private static func entry(
        _ key: ConfigurationKey, _ sources: [(name: String, provider: any ConfigProvider)], variable: () -> String?
    ) throws -> Entry? {
        let parts = key.name.split(separator: ".").map(String.init)
        let path = AbsoluteConfigKey(parts)
        let hasKeysBelow = ConfigurationKey.all.contains { $0.name.hasPrefix(key.name + ".") }
        for (name, provider) in sources {
            var found = try values(key, path, name, provider)
            if found == nil, name == "vigil.yaml", hasKeysBelow {
                found = try values(key, AbsoluteConfigKey(parts + [ConfigurationKey.ownName]), name, provider)
            }
            guard let values = found else { continue }
            let name = name == "reference variables" ? variable() ?? name : name
            if let wrong = values.first(where: { !key.accepts($0) }) {
                throw ConfigurationFault(
                    key: key.name, value: key.isSecret ? nil : wrong, allowed: key.allowed, source: name)
            }
            return Entry(key: key, values: values, source: name)
        }
        return key.standard.map { Entry(key: key, values: [$0], source: "default") }
    }

    private static func values(
        _ key: ConfigurationKey, _ path: AbsoluteConfigKey, _ source: String, _ provider: any ConfigProvider
    ) throws -> [String]? {
        do {
            if key.kind == .list, source != "flag", source != "reference variables" {
                guard case .stringArray(let list)? = try provider.value(forKey: path, type: .stringArray).value?.content
                else { return nil }
                return list
            }
            guard case .string(let text)? = try provider.value(forKey: path, type: .string).value?.content,
                !text.isEmpty
            else { return nil }
            return key.kind == .list ? text.split(separator: ",").map(String.init) : [text]
        } catch {
            throw ConfigurationFault(key: key.name, value: nil, allowed: key.allowed, source: source)
        }
    }
}

extension LoadedConfiguration {
    package func text(_ name: String) -> String? { entries[name]?.values.first }
    package func list(_ name: String) -> [String] { entries[name]?.values ?? [] }

    /// A number that has a default.
    func integer(_ name: String) -> Int {
        guard let number = text(name).flatMap({ Int($0) }) else {
            preconditionFailure("BUG: \(name) has no default that is a number")
        }
        return number
    }

    /// A text that has a default.
    func required(_ name: String) -> String {
        guard let text = text(name) else { preconditionFailure("BUG: \(name) has no default") }
        return text
    }
}

/// A wrong value: it stops the start.
package struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let key: String
    /// `nil` for secrets.
    package let value: String?
    package let allowed: String
    package let source: String
    /// The message, where it is not about a value.
    var text: String?

    package var description: String {
        if let text { return text }
        guard let value else { return "configuration: \(key) (from \(source)) must be \(allowed)" }
        return "configuration: \(key) (from \(source)) is \"\(value)\", but must be \(allowed)"
    }
}
