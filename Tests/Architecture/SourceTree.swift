import Foundation

/// The project's own files, read where they lie.
struct SourceTree {
    struct File {
        /// The path from the project's root.
        let path: String
        let lines: [String]
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The Swift files below a folder of the project, without build folders.
    static func swiftFiles(in folder: String) -> [File] {
        files(in: folder) { $0.hasSuffix(".swift") }
    }

    static func files(in folder: String, where isWanted: (String) -> Bool) -> [File] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path(percentEncoded: false)) else { return [] }
        return walk.compactMap { $0 as? String }
            .filter { isWanted($0) && !$0.contains(".build") && !$0.hasPrefix(".") }
            .sorted()
            .compactMap { path in
                guard let text = try? String(contentsOf: base.appending(path: path), encoding: .utf8) else {
                    return nil
                }
                return File(
                    path: "\(folder)/\(path)",
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
            }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Our targets by layer: the folders of `Sources/<Layer>`.
    static func targets() throws -> [String: [String]] {
        let manager = FileManager.default
        let sources = root.appending(path: "Sources").path(percentEncoded: false)
        var result: [String: [String]] = [:]
        for layer in try manager.contentsOfDirectory(atPath: sources) {
            var isFolder: ObjCBool = false
            guard manager.fileExists(atPath: "\(sources)/\(layer)", isDirectory: &isFolder), isFolder.boolValue else {
                continue
            }
            result[layer] = try manager.contentsOfDirectory(atPath: "\(sources)/\(layer)").sorted()
        }
        return result
    }
}
