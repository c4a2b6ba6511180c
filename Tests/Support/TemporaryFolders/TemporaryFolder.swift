import Foundation

/// A folder of a test, removed when the test lets go of it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init(_ name: String = "vigil-test") throws {
        path = NSTemporaryDirectory() + name + "-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A folder that cannot be removed does not make the test wrong.
        try? FileManager.default.removeItem(atPath: path)
    }

    package func file(_ name: String) -> String { path + "/" + name }

    package func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: file(name))))
    }

    package func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: file(name)))
    }

    /// Flips one bit of a file.
    package func flip(bit: Int, of name: String) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: file(name)))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(bit / 8))
        let byte = try handle.read(upToCount: 1)?.first ?? 0
        try handle.seek(toOffset: UInt64(bit / 8))
        try handle.write(contentsOf: Data([byte ^ (1 << UInt8(bit % 8))]))
    }
}
