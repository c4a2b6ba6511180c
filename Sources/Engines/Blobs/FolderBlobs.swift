import Crypto
import Dispatch
import Foundation
package import StorageKit
package import VigilModel
package import VigilPorts

/// Blobs as files, `<folder>/<tenant>/<first two digits>/<64 digits>`, each written beside, synced, then renamed.
package struct FolderBlobs: BlobStore {
    private let folder: String
    private let files: any FileSystem
    private let sizeLimit: Int
    /// File calls block, so they run here and not on the threads that all tasks share.
    private let queue = DispatchQueue(label: "vigil.blobs", attributes: .concurrent)

    private static let pieceSize = 64 << 10

    /// Removes what a crash left half-written.
    ///
    /// Call it only by the owner of the data folder's lock.
    package init(
        folder: String, files: any FileSystem = LocalFileSystem(), sizeLimit: Int = 512 << 20
    ) throws(StoreError) {
        self.folder = folder
        self.files = files
        self.sizeLimit = sizeLimit
        do {
            try files.removeFolder(folder + "/incoming")
            try files.makeFolder(folder + "/incoming")
        } catch {
            throw StoreError(error)
        }
    }

    package func store(
        _ content: some AsyncSequence<[UInt8], any Error> & Sendable, in scope: AccessScope
    ) async throws -> BlobName {
        let home = try home(scope)
        let temporary = "\(folder)/incoming/\(UUID().uuidString)"
        do {
            let (name, size) = try await write(content, to: temporary)
            guard let blob = BlobName(name, size: size) else {
                throw StoreError(.internalFault, "A hash is not 64 hexadecimal digits")
            }
            try await perform {
                let target = "\(home)/\(name.prefix(2))"
                try makeDurableFolder(target)
                // A blob of this name is replaced by the same content: whole again, if it was damaged.
                try files.rename(temporary, to: "\(target)/\(name)")
                try files.sync(folder: target)
            }
            return blob
        } catch {
            try await perform { _ = try files.remove(temporary) }
            throw error
        }
    }

    private func write(
        _ content: some AsyncSequence<[UInt8], any Error> & Sendable, to path: String
    ) async throws -> (name: String, size: Int) {
        let file = try await perform { try files.open(path, for: .createNew) }
        defer { file.close() }
        var hash = SHA256()
        var size = 0
        for try await piece in content {
            guard size + piece.count <= sizeLimit else {
                throw StoreError(.limit, "A blob is too large", details: ["limit": String(sizeLimit)])
            }
            hash.update(data: piece)
            let offset = Int64(size)
            try await perform { try file.write(piece, at: offset) }
            size += piece.count
        }
        try await perform { try file.sync() }
        return (Self.text(hash.finalize()), size)
    }

    /// The folder and those above it that are new, each durable in the one above.
    private func makeDurableFolder(_ path: String) throws(FileFailure) {
        if try files.status(of: path) != nil { return }
        if path != folder { try makeDurableFolder(path.parentFolder) }
        try files.makeFolder(path)
        try files.sync(folder: path.parentFolder)
    }

    package func content(
        of name: BlobName, in scope: AccessScope
    ) async throws -> AsyncThrowingStream<[UInt8], any Error>? {
        let path = "\(try home(scope))/\(name.description.prefix(2))/\(name.description)"
        guard let status = try await perform({ try files.status(of: path) }) else { return nil }
        let file = try await perform { try files.open(path, for: .read) }
        let reader = BlobReader(file: file, name: name.description, size: status.size, pieceSize: Self.pieceSize)
        guard name.size == status.size else {
            file.close()
            throw reader.damage
        }
        return AsyncThrowingStream { try await perform { try reader.next() } }
    }

    package func remove(_ name: BlobName, in scope: AccessScope) async throws {
        let parent = "\(try home(scope))/\(name.description.prefix(2))"
        try await perform {
            if try files.remove("\(parent)/\(name.description)") { try files.sync(folder: parent) }
        }
    }

    private func home(_ scope: AccessScope) throws -> String {
        guard let tenant = scope.tenant else { throw StoreError(.invalid, "A blob belongs to a tenant") }
        return "\(folder)/\(tenant)"
    }

    private func perform<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Swift.Result {
                        do { return try body() } catch let failure as FileFailure { throw StoreError(failure) }
                    })
            }
        }
    }

    static func text(_ digest: SHA256Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
