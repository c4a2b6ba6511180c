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

    /// Adds what all answers have before the fields of one, and what it does not say itself.
    ///
    /// Goes over them once: each look for a field goes over them all.
    static func add(to headers: inout HTTPFields, form: Endpoint.Form, isSecure: Bool, pictures: String? = nil) {
        var joined = always
        joined.reserveCapacity(always.count + headers.count + 4)
        var (hasPolicy, hasCaching) = (false, false)
        for field in headers {
            switch field.name {
            case .xContentTypeOptions, .frameOptions, .referrerPolicy, .openerPolicy, .resourcePolicy: continue
            case .contentSecurityPolicy: hasPolicy = true
            case .cacheControl: hasCaching = true
            default: break
            }
            joined.append(field)
        }
        if !hasPolicy {
            joined.append(
                form == .page
                    ? HTTPField(name: .contentSecurityPolicy, value: pagePolicy(pictures: pictures)) : dataPolicyField)
        }
        if form == .page { joined[.permissionsPolicy] = "camera=(), microphone=(), geolocation=(self)" }
        if !hasCaching { joined.append(noStore) }
        // A year: the browser then never speaks plain HTTP with this host again.
        if isSecure { joined[.strictTransportSecurity] = "max-age=31536000" }
        headers = joined
    }

    private static let dataPolicyField = HTTPField(name: .contentSecurityPolicy, value: dataPolicy)
    private static let noStore = HTTPField(name: .cacheControl, value: "no-store")

    private static let always: HTTPFields = [
        .xContentTypeOptions: "nosniff", .frameOptions: "DENY", .referrerPolicy: "same-origin",
        .openerPolicy: "same-origin", .resourcePolicy: "same-origin",
    ]
}
