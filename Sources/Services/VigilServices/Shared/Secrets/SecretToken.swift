import Crypto
import Foundation

/// A random secret that is shown once and kept only as its hash: access tokens, refresh tokens, API tokens, device
/// credentials, panel secrets, links in e-mail.
///
/// The text is the kind's prefix, so that a leaked one is recognised by people and scanners, and 256 random bits in
/// base64url. That many bits need no slow hash: SHA-256 keeps them from whoever reads the database.
package struct SecretToken: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case access = "vs_"
        case refresh = "vr_"
        case api = "vt_"
        case device = "vd_"
        case panel = "vp_"
        case reset = "vw_"
        case invitation = "vi_"
    }

    package let kind: Kind
    /// What is handed out, once.
    package let text: String

    package init(_ kind: Kind) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
        self.kind = kind
        text = kind.rawValue + Base64URL.encode(bytes)
    }

    /// Reads what somebody shows us.
    ///
    /// - Returns: `nil` for what cannot be a token, without looking anything up.
    package init?(shown text: String) {
        guard text.utf8.count == 46, let kind = Kind(rawValue: String(text.prefix(3))) else { return nil }
        self.kind = kind
        self.text = text
    }

    /// What the database keeps: SHA-256 of the text, in hexadecimal.
    package var hash: String { Self.digest(of: text) }

    /// SHA-256 of a text, in hexadecimal.
    package static func digest(of text: String) -> String {
        let digest = SHA256.hash(data: Array(text.utf8))
        return String(unsafeUninitializedCapacity: SHA256.byteCount * 2) { digits in
            var place = 0
            for byte in digest {
                digits[place] = digit(byte >> 4)
                digits[place + 1] = digit(byte & 15)
                place += 2
            }
            return place
        }
    }

    private static func digit(_ half: UInt8) -> UInt8 {
        half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") - 10 + half
    }

    /// The first characters, to be told apart in a list.
    package var hint: String { String(text.prefix(8)) }
}

extension SecretToken: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(kind.rawValue)(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Base64 with the alphabet of URLs and without padding (RFC 4648, section 5).
package enum Base64URL {
    package static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    package static func decode(_ text: String) -> [UInt8]? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        return Data(base64Encoded: standard + padding).map(Array.init)
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
package func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
