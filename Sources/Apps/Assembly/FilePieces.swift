import Foundation

/// The bytes of a file, piece by piece, so that a file of any size takes the memory of one piece.
package struct FilePieces: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    static let pieceBytes = 256 * 1024

    package let path: String
    package let count: Int64

    /// - Throws: When the file is not there, or cannot be read.
    package init(path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        count = Int64(try file.seekToEnd())
        self.path = path
    }

    package func makeAsyncIterator() -> Iterator { Iterator(path: path) }

    package struct Iterator: AsyncIteratorProtocol {
        private let path: String
        private var file: FileHandle?

        init(path: String) {
            self.path = path
        }

        package mutating func next() async throws -> [UInt8]? {
            let file = try self.file ?? FileHandle(forReadingFrom: URL(filePath: path))
            self.file = file
            guard let piece = try file.read(upToCount: FilePieces.pieceBytes), !piece.isEmpty else { return nil }
            return Array(piece)
        }
    }
}
