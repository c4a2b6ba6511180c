import Foundation
import PackagePlugin

/// Makes the files of a target part of its code: migrations, pages and assets travel inside the one binary.
///
/// Embedded are all files below the target's folder with one of ``extensions``, under their path within the target,
/// and what `embed.txt` lists: one line per file with its absolute path and the name it gets. A blank line and a line
/// that starts with `#` say nothing.
///
/// The generated `EmbeddedFiles.swift` is what `EmbedFilesTool` writes.
@main
struct EmbedFiles: BuildToolPlugin {
    static let extensions: Set = ["sql", "mustache", "css", "js", "svg", "html", "json", "png"]

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL
        var files = try embeddable(below: folder)
        files += try listed(in: folder.appending(path: "embed.txt"))
        files.sort { $0.name < $1.name }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        // The list itself is an argument, so a file that comes or goes changes the command and runs it again.
        var arguments = [output.path(percentEncoded: false)]
        for file in files {
            arguments += [file.name, file.url.path(percentEncoded: false)]
        }
        var inputs = files.map(\.url)
        let list = folder.appending(path: "embed.txt")
        if FileManager.default.fileExists(atPath: list.path(percentEncoded: false)) { inputs.append(list) }
        return [
            .buildCommand(
                displayName: "Embedding files of \(target.name)",
                executable: try context.tool(named: "EmbedFilesTool").url,
                arguments: arguments, inputFiles: inputs, outputFiles: [output])
        ]
    }

    private func embeddable(below folder: URL) throws -> [(name: String, url: URL)] {
        let root = folder.path(percentEncoded: false)
        let names = try FileManager.default.subpathsOfDirectory(atPath: root)
        return names.compactMap { name in
            guard Self.extensions.contains((name as NSString).pathExtension) else { return nil }
            return (name, folder.appending(path: name))
        }
    }

    private func listed(in list: URL) throws -> [(name: String, url: URL)] {
        guard let text = try? String(contentsOf: list, encoding: .utf8) else { return [] }
        return try text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            if words.isEmpty || line.hasPrefix("#") { return nil }
            guard words.count == 2, words[0].hasPrefix("/") else { throw BadLine(line: String(line)) }
            return (String(words[1]), URL(filePath: String(words[0])))
        }
    }

    struct BadLine: Error, CustomStringConvertible {
        let line: String
        var description: String { "embed.txt: not an absolute path and a name: \(line)" }
    }
}
