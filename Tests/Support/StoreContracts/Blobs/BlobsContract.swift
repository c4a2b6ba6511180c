import VigilModel
package import VigilPorts

/// The contract of `BlobStore`, for a store whose limit is ``sizeLimit``.
package enum BlobsContract {
    package typealias Clause = StoreClause<any BlobStore>

    package static let sizeLimit = 300_000
    private struct Mishap: Error {}

    package static var clauses: [Clause] {
        [
            Clause("blobs/round-trip", "Content comes back as it was stored, under the SHA-256 of it") { store in
                let cases: [([[UInt8]], String)] = [
                    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                    ([[97], [98, 99]], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                ]
                for (pieces, name) in cases {
                    let blob = try await store.store(stream(pieces), in: scope)
                    try require(blob.description, is: name)
                    try require(try await content(of: blob, store), is: pieces.flatMap { $0 })
                }
                let large = [[UInt8]](repeating: Array(0...249), count: 1000)
                let blob = try await store.store(stream(large), in: scope)
                try require(blob.size, is: 250_000)
                try require(try await content(of: blob, store) == large.flatMap { $0 }, "other content")
            },
            Clause("blobs/same", "Storing the same content again gives the same name") { store in
                let first = try await store.store(stream([[1], [2]]), in: scope)
                try require(try await store.store(stream([[1, 2]]), in: scope), is: first)
                try require(try await content(of: first, store), is: [1, 2])
            },
            Clause("blobs/tenants", "A tenant has only its own blobs") { store in
                let other = SystemScope.tenant(TenantID(high: 2, low: 3), "holding a store to its contract")
                let blob = try await store.store(stream([[9, 9]]), in: scope)
                try require(try await store.content(of: blob, in: other) == nil, "another tenant saw it")
                try await store.remove(blob, in: other)
                try require(try await content(of: blob, store), is: [9, 9])
                try await requireError(.invalid) {
                    try await store.store(
                        stream([[1]]), in: SystemScope.allTenants("holding a store to its contract"))
                }
            },
            Clause("blobs/remove", "A removed blob is gone, and removing it again is no error") { store in
                let blob = try await store.store(stream([[5]]), in: scope)
                try await store.remove(blob, in: scope)
                try await store.remove(blob, in: scope)
                try require(try await store.content(of: blob, in: scope) == nil, "still there")
            },
            Clause("blobs/limit", "Content beyond the limit throws limit and nothing is kept") { store in
                let piece = [UInt8](repeating: 1, count: sizeLimit / 3 + 1)
                try await requireError(.limit) { try await store.store(stream([piece, piece, piece]), in: scope) }
            },
            Clause("blobs/broken-off", "Content that breaks off is not kept, and what broke it is thrown on") { store in
                do {
                    let broken = AsyncThrowingStream<[UInt8], any Error> { continuation in
                        continuation.yield([1, 2, 3, 4])
                        continuation.finish(throwing: Mishap())
                    }
                    _ = try await store.store(broken, in: scope)
                    throw ContractBroken("nothing was thrown")
                } catch is Mishap {}
            },
        ]
    }

    private static let scope = SystemScope.tenant(TenantID(high: 2, low: 2), "holding a store to its contract")

    private static func stream(_ pieces: [[UInt8]]) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish()
        }
    }

    private static func content(of blob: BlobName, _ store: any BlobStore) async throws -> [UInt8]? {
        guard let pieces = try await store.content(of: blob, in: scope) else { return nil }
        return try await pieces.reduce(into: []) { $0 += $1 }
    }
}
