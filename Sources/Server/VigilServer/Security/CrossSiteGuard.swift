package import HTTPTypes
import VigilInterface
import VigilServices

/// Keeps other sites from acting with a browser's cookie.
///
/// What a browser says of itself is believed first (`Sec-Fetch-Site`, `Origin`), because pages cannot forge it. A client
/// that says nothing must show that it can read our answers: `X-CSRF-Token` with the token of its session.
package enum CrossSiteGuard {
    /// - Throws: `forbidden` when the request may come from another site.
    static func admit(
        _ method: HTTPRequest.Method, _ headers: HTTPFields, credential: Credential?, isSecure: Bool
    ) throws(ServiceError) {
        switch (method, credential) {
        case (.get, _), (.head, _), (.options, _): return
        // What the sender put into the request itself was not added by a browser on somebody else's behalf.
        case (_, .bearer), (_, .token), (_, .basic): return
        default: break
        }
        if let site = headers[.fetchSite] {
            guard site == "same-origin" else { throw refusal }
            return
        }
        if let origin = headers[.originField] {
            guard isOwn(origin, headers, isSecure: isSecure) else { throw refusal }
            return
        }
        guard case .cookie(let cookie) = credential else { return }
        guard let shown = headers[.csrfToken], isEqual(shown, SessionCookie.proof(of: cookie)) else { throw refusal }
    }

    /// Whether `origin` is where this request was sent to.
    package static func isOwn(_ origin: String, _ headers: HTTPFields, isSecure: Bool) -> Bool {
        guard let host = headers[.hostField] else { return false }
        let scheme = isSecure ? "https" : "http"
        return origin.lowercased() == "\(scheme)://\(host)".lowercased()
    }

    /// Compares without telling by its time where two texts differ.
    static func isEqual(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static var refusal: ServiceError {
        ServiceError(.forbidden, "auth.cross_site", "This request did not come from a page of this server.")
    }
}
