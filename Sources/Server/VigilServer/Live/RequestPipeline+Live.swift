import HTTPTypes
import VigilInterface
import VigilServices

extension RequestPipeline {
    /// Whether a request to become a WebSocket may.
    ///
    /// Who may not gets the answer of the endpoint at the same path, which says why.
    func admitLive(_ head: HTTPRequest, _ facts: ConnectionFacts) async -> LiveAdmission? {
        guard let hub = hooks.liveHub, head.method == .get,
            let target = try? RequestTarget(head.path, limit: limits.targetBytes), target.path == LiveRoutes.path
        else { return nil }
        var headers = head.headerFields
        if headers[.hostField] == nil { headers[.hostField] = head.authority }
        let client = proxies.client(of: facts, headers)
        guard
            let credential = try? CredentialReader.credential(
                in: headers, query: target.query, takesQuery: false, isSecure: client.isSecure),
            isOriginAllowed(headers, credential, isSecure: client.isSecure),
            let principal = try? await authenticator.principal(credential, client.address), principal.scope != nil
        else { return nil }
        return LiveAdmission(hub: hub, principal: principal)
    }

    /// A browser always names its origin; a cookie without one is not from a page of ours.
    private func isOriginAllowed(_ headers: HTTPFields, _ credential: Credential, isSecure: Bool) -> Bool {
        guard let origin = headers[.originField] else { return !credential.isCookie }
        return CrossSiteGuard.isOwn(origin, headers, isSecure: isSecure)
    }
}
