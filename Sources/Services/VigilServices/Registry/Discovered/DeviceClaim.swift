package import VigilModel

/// What makes a discovered device one of the tenant's; nothing is required.
package struct DeviceClaim: Codable, Sendable {
    /// What it called itself when absent.
    package var name: String?
    /// Made of the name when absent.
    package var code: String?
    /// The profile's when absent.
    package var kind: String?
    /// The profile's when absent.
    package var handler: String?
    /// By identifier or code.
    package var profile: String?
    package var owner: UserID?
    package var site: String?
    package var location: String?
    package var status: AdministrativeStatus?
    package var expectedIntervalSeconds: Double?
    package var externalIDs: [ExternalID]?
    package var connection: JSONValue?
    /// Secrets of the connection by name.
    package var secrets: [String: String]?
    package var metadata: JSONValue?

    package init(name: String? = nil, code: String? = nil, profile: String? = nil) {
        self.name = name
        self.code = code
        self.profile = profile
    }

    /// The device to be made of one that called itself `reference`.
    func draft(of reference: String) -> DeviceDraft {
        DeviceDraft(
            code: code, name: name ?? reference, kind: kind, handler: handler, profile: profile, owner: owner,
            site: site, location: location, status: status, expectedIntervalSeconds: expectedIntervalSeconds,
            externalIDs: externalIDs, connection: connection, secrets: secrets, metadata: metadata)
    }
}
