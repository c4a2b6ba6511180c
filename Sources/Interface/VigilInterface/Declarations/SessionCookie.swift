package import HTTPTypes

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

    /// The session's value among a request's cookies.
    package static func value(in headers: HTTPFields, isSecure: Bool) -> String? {
        let wanted = name(isSecure: isSecure)
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
