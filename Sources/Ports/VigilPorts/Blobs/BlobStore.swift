package import VigilModel

/// Files by the SHA-256 of their content.
///
/// A blob is never half-written: it is there whole, or not at all.
package protocol BlobStore: Sendable {
    /// Stores `content` durably and returns its name. Storing the same content again is no error and takes no space.
    /// - Throws: `limit` when the content is larger than the store's limit; nothing is kept.
    func store(_ content: some AsyncSequence<[UInt8], any Error> & Sendable, in scope: AccessScope) async throws
        -> BlobName

    /// The content in pieces, or `nil` when the tenant has no such blob.
    func content(of name: BlobName, in scope: AccessScope) async throws -> AsyncThrowingStream<[UInt8], any Error>?

    /// Removes the blob of this tenant. Removing what is not there is no error.
    func remove(_ name: BlobName, in scope: AccessScope) async throws
}

/// The name of a blob: 64 hexadecimal digits.
package struct BlobName: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    package let size: Int

    package init?(_ description: String, size: Int) {
        guard description.utf8.count == 64, description.utf8.allSatisfy({ $0.isLowercaseHexadecimal }) else {
            return nil
        }
        self.description = description
        self.size = size
    }
}

extension UInt8 {
    fileprivate var isLowercaseHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}
