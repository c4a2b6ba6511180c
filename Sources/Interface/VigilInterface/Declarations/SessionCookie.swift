package import HTTPTypes
import VigilServices

/// The cookie that keeps a browser signed in.
///
/// Over TLS it has the prefix `__Host-`, so that no other host or path can plant one (RFC 6265bis).
package enum SessionCookie {
    /// The cookie's name.
    package static func name(isSecure: Bool) -> String { isSecure ? "__Host-vigil_session" : "vigil_session" }

    /// The `Set-Cookie` field that signs in.
    package static func field(_ value: String, maxAgeSeconds: Int, isSecure: Bool) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value: "\(name(isSecure: isSecure))=\(value); Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; SameSite=Lax"
                + (isSecure ? "; Secure" : ""))
    }

    /// The `Set-Cookie` field that signs out.
    package static func removal(isSecure: Bool) -> HTTPField { field("", maxAgeSeconds: 0, isSecure: isSecure) }

    /// What pages and scripts of the session send back as `X-CSRF-Token`: only who has the cookie, or reads our pages,
    /// knows it.
    package static func proof(of cookie: String) -> String {
        String(SecretToken.digest(of: "vigil/csrf/\(cookie)").prefix(32))
    }

    /// The session's value among a request's cookies.
    package static func value(in headers: HTTPFields, isSecure: Bool) -> String? {
        value(named: name(isSecure: isSecure), in: headers)
    }

    /// The value of a cookie of that name.
    package static func value(named wanted: String, in headers: HTTPFields) -> String? {
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == wanted else { continue }
                return String(parts[1])
            }
        }
        return nil
    }
}
