import Crypto
import Foundation

/// Seals secrets for storage with AES-256-GCM.
///
/// Each secret is sealed for a context, such as `device/0199…/connection`: what was sealed for one row does not open in
/// another, so nobody who can write to the database can move a secret to where it would be shown.
///
/// ```swift
/// let box = SecretBox(key.derive("connection"))
/// let stored = try box.seal(Array("rtsp password".utf8), for: "device/\(id)/connection")
/// ```
package struct SecretBox: Sendable {
    /// The first byte of everything sealed: the layout is version, nonce (12), ciphertext, tag (16).
    private static let version: UInt8 = 1

    private let key: DerivedKey

    package init(_ key: DerivedKey) {
        self.key = key
    }

    /// Seals under a new random nonce, so the same secret never looks the same twice.
    package func seal(_ secret: [UInt8], for context: String) throws(ServiceError) -> [UInt8] {
        do {
            let sealed = try AES.GCM.seal(secret, using: key.key, authenticating: Array(context.utf8))
            return [Self.version] + Array(sealed.nonce) + Array(sealed.ciphertext) + Array(sealed.tag)
        } catch {
            throw ServiceError(.unavailable, "secret.seal", "The secret could not be encrypted.")
        }
    }

    /// Opens what ``seal(_:for:)`` made with the same key and context.
    ///
    /// - Throws: `conflict`, code `secret.unreadable`, when it was sealed with another key, for another context, or was
    ///   changed.
    package func open(_ stored: [UInt8], for context: String) throws(ServiceError) -> [UInt8] {
        let overhead = 1 + 12 + 16
        guard stored.count >= overhead, stored[0] == Self.version else { throw Self.unreadable }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: stored[1..<13]),
                ciphertext: stored[13..<(stored.count - 16)], tag: stored[(stored.count - 16)...])
            return Array(try AES.GCM.open(box, using: key.key, authenticating: Array(context.utf8)))
        } catch {
            throw Self.unreadable
        }
    }

    /// Seals text as base64, for columns and members that hold text.
    package func sealText(_ secret: String, for context: String) throws(ServiceError) -> String {
        Data(try seal(Array(secret.utf8), for: context)).base64EncodedString()
    }

    /// Opens what ``sealText(_:for:)`` made.
    package func openText(_ stored: String, for context: String) throws(ServiceError) -> String {
        guard let bytes = Data(base64Encoded: stored),
            let text = String(validating: try open(Array(bytes), for: context), as: UTF8.self)
        else { throw Self.unreadable }
        return text
    }

    private static let unreadable = ServiceError(
        .conflict, "secret.unreadable", "A secret cannot be read with this installation's key.")
}
