import Crypto
import Foundation
package import VigilModel

/// The identity of a configuration: a hash of the metadata that does not depend on the order of members at any depth.
enum Configuration {
    /// SHA-256 in hexadecimal.
    static func hash(of metadata: JSONValue) -> String {
        hexadecimal(SHA256.hash(data: Data(metadata.canonicalText.utf8)))
    }

    /// All hashes that begin with `prefix`.
    ///
    /// - Throws: `invalid` unless it is 16 to 64 hexadecimal digits.
    static func range(of prefix: String) throws(ServiceError) -> ClosedRange<String> {
        let text = prefix.lowercased()
        guard (16...64).contains(text.utf8.count), text.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
        else { throw .invalid("configuration", "must be 16 to 64 hexadecimal digits", code: "request.query") }
        return text...(text + String(repeating: "f", count: 64 - text.utf8.count))
    }

    /// Members that differ, by their path: `pump.power`.
    static func differences(from old: JSONValue, to new: JSONValue, path: String = "") -> [MetadataDifference] {
        guard let before = old.members, let after = new.members else {
            return old == new ? [] : [MetadataDifference(path: path, before: old, after: new)]
        }
        return Set(before.keys).union(after.keys).sorted().flatMap { name -> [MetadataDifference] in
            let path = path.isEmpty ? name : "\(path).\(name)"
            guard let left = before[name], let right = after[name] else {
                return [MetadataDifference(path: path, before: before[name], after: after[name])]
            }
            return differences(from: left, to: right, path: path)
        }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// One member in which two versions of metadata differ.
package struct MetadataDifference: Codable, Sendable, Hashable {
    /// `pump.power`.
    package var path: String
    /// Absent: it was not there.
    package var before: JSONValue?
    package var after: JSONValue?
}
