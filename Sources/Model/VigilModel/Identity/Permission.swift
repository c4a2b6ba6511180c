/// The right to do an action on a kind of resource, written `resource:action`, with `*` for any.
///
/// `alert:acknowledge` allows one action, `alert:*` all actions on alerts, `*:read` reading everything, `*` everything.
package struct Permission: Hashable, Sendable {
    package let resource: String
    package let action: String

    package init(_ resource: String, _ action: String) {
        self.resource = resource
        self.action = action
    }

    /// Whether someone who holds this permission may do what `needed` names.
    package func covers(_ needed: Permission) -> Bool {
        (resource == "*" || resource == needed.resource) && (action == "*" || action == needed.action)
    }
}

extension Permission: LosslessStringConvertible {
    /// Reads `resource:action`, or `*` alone.
    ///
    /// Each part is `*` or 1 to 64 of the characters `a-z 0-9 _ -`.
    package init?(_ description: String) {
        if description == "*" {
            self.init("*", "*")
            return
        }
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(Self.isPart) else { return nil }
        self.init(String(parts[0]), String(parts[1]))
    }

    package var description: String { resource == "*" && action == "*" ? "*" : "\(resource):\(action)" }

    private static func isPart(_ part: Substring) -> Bool {
        if part == "*" { return true }
        return (1...64).contains(part.utf8.count)
            && part.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}

extension Permission: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let permission = Permission(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "is not a permission of the form resource:action")
        }
        self = permission
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Collection<Permission> {
    /// Whether any of these permissions covers `needed`.
    package func allow(_ needed: Permission) -> Bool {
        contains { $0.covers(needed) }
    }
}
