/// Why Vigil did not do what it was asked for.
public struct VigilError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable code for programs: `device.code_taken`, `auth.forbidden`, `client.unreachable`.
    public let code: String
    /// A sentence for people.
    public let message: String
    /// The HTTP status of the refusal; absent when nobody answered.
    public let status: Int?
    /// Seconds after which another try makes sense, as the server said.
    public let retryAfterSeconds: Double?

    /// An error.
    public init(code: String, message: String, status: Int? = nil, retryAfterSeconds: Double? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The sentence with its code.
    public var description: String { "\(message) (\(code))" }
}
