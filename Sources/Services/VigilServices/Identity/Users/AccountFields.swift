import VigilModel

/// What may stand in the fields of an account.
enum AccountFields {
    static let emailBytesMax = 254
    static let preferencesBytesMax = 16 << 10

    static func check(_ draft: UserDraft) throws(ServiceError) {
        try checkEmail(draft.email)
        try checkTexts([
            ("firstName", draft.firstName, 150), ("lastName", draft.lastName, 150), ("phone", draft.phone, 64),
            ("department", draft.department, 150), ("locale", draft.locale, 35), ("timeZone", draft.timeZone, 64),
        ])
    }

    static func check(_ patch: UserPatch) throws(ServiceError) {
        try checkEmail(patch.email)
        try checkTexts([
            ("firstName", patch.firstName, 150), ("lastName", patch.lastName, 150), ("phone", patch.phone, 64),
            ("department", patch.department, 150), ("locale", patch.locale, 35), ("timeZone", patch.timeZone, 64),
        ])
        if let preferences = patch.preferences {
            guard preferences.members != nil, preferences.canonicalText.utf8.count <= preferencesBytesMax else {
                throw .invalid("preferences", "must be an object of at most \(preferencesBytesMax) bytes")
            }
        }
    }

    /// One `@` with something on both sides, and nothing that could end a header of a mail.
    static func checkEmail(_ email: String?) throws(ServiceError) {
        guard let email, !email.isEmpty else { return }
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard email.utf8.count <= emailBytesMax, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
            email.unicodeScalars.allSatisfy({
                $0.value > 0x20 && $0.value != 0x7F && !"<>,;:\"()[]\\".unicodeScalars.contains($0)
            })
        else { throw .invalid("email", "is not an e-mail address") }
    }

    static func checkUsername(_ name: String) throws(ServiceError) {
        guard (1...150).contains(name.utf8.count),
            name.allSatisfy({ $0.isLetter || $0.isNumber || "._-@+".contains($0) })
        else { throw .invalid("username", "must be 1 to 150 letters, digits or . _ - @ +", code: "user.name") }
    }

    private static func checkTexts(_ fields: [(String, String?, Int)]) throws(ServiceError) {
        for (name, text, limit) in fields {
            guard (text ?? "").utf8.count <= limit else { throw .invalid(name, "must have at most \(limit) bytes") }
            guard !(text ?? "").unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                throw .invalid(name, "must be one line of text")
            }
        }
    }
}
