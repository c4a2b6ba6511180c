import Foundation
import VigilModel
import VigilPorts

/// Connection settings with what is secret taken out of them.
struct ConnectionSettings {
    var settings: JSONValue
    /// Secrets by name, for members within members by their path: `auth.password`.
    var secrets: [String: String]

    /// Takes out every member whose name says that it is a secret, at any depth.
    ///
    /// - Throws: `invalid` for a secret that is not text, and for an address with a password in it, because that would be
    ///   shown: `rtsp://user:password@host/`.
    init(_ value: JSONValue, bytesMax: Int) throws(ServiceError) {
        let checked = try TextRules.json(value, field: "connection", bytesMax: bytesMax)
        var secrets: [String: String] = [:]
        settings = try Self.open(checked, path: "", secrets: &secrets)
        self.secrets = secrets
    }

    private static func open(_ value: JSONValue, path: String, secrets: inout [String: String])
        throws(ServiceError) -> JSONValue
    {
        switch value {
        case .object(let members):
            var kept: [String: JSONValue] = [:]
            for (name, member) in members {
                let inner = path.isEmpty ? name : "\(path).\(name)"
                if SecretNames.isSecret(name), member != .null, member.members == nil {
                    guard let text = member.text else {
                        throw .invalid("connection.\(inner)", "is a secret and must be text", code: "connection.secret")
                    }
                    secrets[inner] = text
                } else {
                    kept[name] = try open(member, path: inner, secrets: &secrets)
                }
            }
            return .object(kept)
        case .array(let elements):
            var kept: [JSONValue] = []
            for (index, element) in elements.enumerated() {
                kept.append(try open(element, path: "\(path).\(index)", secrets: &secrets))
            }
            return .array(kept)
        case .string(let text):
            guard !hasPassword(text) else {
                throw .invalid(
                    "connection.\(path)", "must not have a password in an address: send it in secrets",
                    code: "connection.secret")
            }
            return value
        case .null, .bool, .integer, .number: return value
        }
    }

    /// Whether a text is an address of the form `scheme://user:password@host`.
    private static func hasPassword(_ text: String) -> Bool {
        guard let scheme = text.range(of: "://") else { return false }
        let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }
}

extension RegistryChange {
    /// Seals secrets and takes away those that are `nil`.
    func keepSecrets(_ secrets: [String: String?], of device: DeviceID, box: SecretBox, limits: RegistryLimits) throws {
        for (name, secret) in secrets.sorted(by: { $0.key < $1.key }) {
            guard (1...200).contains(name.utf8.count) else {
                throw ServiceError.invalid("secrets", "must have names of 1 to 200 bytes", code: "request.field")
            }
            try transaction.execute(
                """
                DELETE FROM device_secrets
                WHERE tenant_id = \(tenant) AND device_id = \(device) AND name = \(name)
                """)
            guard let secret else { continue }
            guard secret.utf8.count <= 8192 else {
                throw ServiceError.invalid("secrets.\(name)", "must be at most 8192 bytes", code: "request.field")
            }
            let sealed = try box.seal(Array(secret.utf8), for: RegistryService.sealContext(device, name))
            try transaction.execute(
                """
                INSERT INTO device_secrets (tenant_id, device_id, name, sealed, updated_at)
                VALUES (\(tenant), \(device), \(name), \(sealed), \(time))
                """)
        }
        try requireRoom(
            in: "device_secrets", max: limits.secretsPerDeviceMax + 1, where: "device_id = \(device)")
    }
}

extension RegistryService {
    /// What a sealed secret belongs to: it opens nowhere else.
    static func sealContext(_ device: DeviceID, _ name: String) -> String { "device/\(device)/connection/\(name)" }
}
