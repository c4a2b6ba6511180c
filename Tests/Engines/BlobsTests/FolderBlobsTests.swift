import Blobs
import StorageKit
import StoreContracts
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct FolderBlobsTests {
    private let scope = SystemScope.tenant(TenantID(high: 5, low: 5), "testing")

    private func stream(_ bytes: [UInt8]) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield(bytes)
            continuation.finish()
        }
    }

    @Test(arguments: BlobsContract.clauses)
    func `the folder keeps the contract`(clause: BlobsContract.Clause) async throws {
        let folder = try TemporaryFolder()
        let store: any BlobStore = try FolderBlobs(folder: folder.path, sizeLimit: BlobsContract.sizeLimit)
        try await ContractReport.shared.check(clause, port: "blobs", store: "folder", store)
        #expect(try LocalFileSystem().names(in: folder.file("incoming")) == [])
    }

    @Test func `a flipped bit is damage, by name, and storing again repairs it`() async throws {
        let folder = try TemporaryFolder()
        let store = try FolderBlobs(folder: folder.path)
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        let blob = try await store.store(stream(bytes), in: scope)
        let name = "\(scope.tenant?.description ?? "")/\(blob.description.prefix(2))/\(blob.description)"
        for bit in [0, 400_003, 799_999] {
            try folder.flip(bit: bit, of: name)
            let failure = await #expect(throws: StoreError.self) {
                for try await _ in try #require(try await store.content(of: blob, in: scope)) {}
            }
            #expect(failure?.code == .damaged)
            #expect(failure?.details["file"] == folder.file(name))
            _ = try await store.store(stream(bytes), in: scope)
            let read = try await #require(try await store.content(of: blob, in: scope)).reduce(into: []) { $0 += $1 }
            #expect(read == bytes)
        }
    }

    @Test func `what a crash left half-written is gone at the next start`() async throws {
        let folder = try TemporaryFolder()
        _ = try FolderBlobs(folder: folder.path)
        try folder.write([1, 2, 3], to: "incoming/half")
        _ = try FolderBlobs(folder: folder.path)
        #expect(try LocalFileSystem().names(in: folder.file("incoming")) == [])
    }
}
