import VigilModel
package import VigilServices

/// Who a request's credential belongs to: Identity, as the server sees it.
package struct Authenticator: Sendable {
    package let principal: @Sendable (_ credential: Credential, _ remoteAddress: String) async throws -> Principal

    package init(
        _ principal: @escaping @Sendable (_ credential: Credential, _ remoteAddress: String) async throws -> Principal
    ) {
        self.principal = principal
    }
}

extension Principal {
    /// Whoever may open the socket in the data folder may do everything that is asked there.
    package static let localSocket = Principal(
        subject: .local, tenant: nil, permissions: [Permission("*", "*")], scope: nil, name: "local")
}
