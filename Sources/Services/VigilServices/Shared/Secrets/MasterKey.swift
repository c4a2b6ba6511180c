import Crypto
import Foundation

/// The installation's secret: 32 random bytes that lie outside the database.
///
/// It is never used itself: each use has a key derived for its purpose (HKDF with SHA-256, RFC 5869), so that what one
/// part of the program can open, another cannot. A database without this key gives away neither connection secrets nor
/// PINs.
package struct MasterKey: Sendable {
    package static let byteCount = 32

    private let key: SymmetricKey

    /// - Returns: `nil` unless there are exactly ``byteCount`` bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        key = SymmetricKey(data: bytes)
    }

    private init(_ key: SymmetricKey) {
        self.key = key
    }

    /// A new key, for the first start of a data folder.
    package static func random() -> MasterKey { MasterKey(SymmetricKey(size: .bits256)) }

    /// The bytes, to be written into the folder's `keys` file.
    package var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// The key for one purpose.
    ///
    /// The same purpose always gives the same key.
    package func derive(_ purpose: StaticString) -> DerivedKey {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, info: Data("vigil/\(purpose)".utf8), outputByteCount: 32)
        return DerivedKey(derived)
    }
}

extension MasterKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "MasterKey(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A key for one purpose.
package struct DerivedKey: Sendable {
    let key: SymmetricKey

    init(_ key: SymmetricKey) {
        self.key = key
    }

    /// HMAC with SHA-256 of `message`: 32 bytes that nobody can make without the key.
    package func authenticationCode(for message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}

extension DerivedKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "DerivedKey(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
