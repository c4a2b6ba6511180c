import HTTPTypes
import VigilInterface
import VigilModel
import VigilPorts

/// What is learned of a request on its way.
struct Exchange: Sendable {
    let incoming: IncomingRequest
    let method: HTTPRequest.Method
    let headers: HTTPFields
    let id: String
    let address: String
    let isSecure: Bool
    var path = ""
    var endpoint: Endpoint?
    var allowedMethods: [HTTPRequest.Method] = []
    var principalName = "-"

    init(_ incoming: IncomingRequest, proxies: TrustedProxies, clock: any TimeSource) {
        self.incoming = incoming
        method = incoming.head.method
        var headers = incoming.head.headerFields
        if !headers.contains(.hostField) { headers[.hostField] = incoming.head.authority }
        self.headers = headers
        (address, isSecure) = proxies.client(of: incoming.facts, headers)
        id = Self.identifier(headers[.requestID]) ?? Identifier<Named.Entry>(at: clock.now()).description
    }

    /// The sender's own identifier, when it is short and plain enough for logs.
    private static func identifier(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        return isPlain ? text : nil
    }
}
