import HTTPTypes
import VigilInterface

/// The header fields that tell browsers what our answers may do.
enum SecurityHeaders {
    /// Scripts, styles, pictures and connections of this server only; nothing inline, no frames.
    ///
    /// - Parameter pictures: Where pictures may come from beside this server: map tiles.
    static func pagePolicy(pictures: String?) -> String {
        """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:\(pictures.map { " " + $0 } ?? ""); \
        font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; \
        base-uri 'none'
        """
    }
    /// An answer of the API is no page: it may load nothing.
    static let dataPolicy = "default-src 'none'; frame-ancestors 'none'"

    static func add(to headers: inout HTTPFields, form: Endpoint.Form, isSecure: Bool, pictures: String? = nil) {
        headers = joined(headers)
        if headers[.contentSecurityPolicy] == nil {
            headers[.contentSecurityPolicy] = form == .page ? pagePolicy(pictures: pictures) : dataPolicy
        }
        if form == .page { headers[.permissionsPolicy] = "camera=(), microphone=(), geolocation=(self)" }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        // A year: the browser then never speaks plain HTTP with this host again.
        if isSecure { headers[.strictTransportSecurity] = "max-age=31536000" }
    }

    /// What all answers have, with the fields of one behind them.
    private static func joined(_ own: HTTPFields) -> HTTPFields {
        var headers = always
        for field in own where always[field.name] == nil { headers.append(field) }
        return headers
    }

    private static let always: HTTPFields = [
        .xContentTypeOptions: "nosniff", .frameOptions: "DENY", .referrerPolicy: "same-origin",
        .openerPolicy: "same-origin", .resourcePolicy: "same-origin",
    ]
}
