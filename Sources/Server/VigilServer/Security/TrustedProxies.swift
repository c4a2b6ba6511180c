package import HTTPTypes
package import VigilServices

/// The proxies whose word about a client's address and protocol is taken.
package struct TrustedProxies: Sendable, Hashable {
    private let networks: [AddressRange]

    /// - Parameters:
    ///   - texts: Addresses or networks: `10.0.0.7`, `192.168.0.0/16`, `fd00::/8`.
    /// - Throws: `invalid` naming the text that is neither.
    package init(_ texts: [String]) throws(ServiceError) {
        var networks: [AddressRange] = []
        for text in texts {
            guard let network = AddressRange(text) else {
                throw .invalid("server.trusted_proxies", "must list addresses or networks such as 10.0.0.0/8")
            }
            networks.append(network)
        }
        self.networks = networks
    }

    package static let none = TrustedProxies()

    private init() { networks = [] }

    /// The client behind a connection: the last address of `X-Forwarded-For` that is not itself a trusted proxy.
    package func client(of facts: ConnectionFacts, _ headers: HTTPFields) -> (address: String, isSecure: Bool) {
        let direct = (facts.peerAddress, facts.transport == .tls)
        guard !networks.isEmpty, facts.transport != .localSocket, contains(facts.peerAddress) else { return direct }
        let isSecure =
            headers[.forwardedProto].map { $0.lowercased().hasSuffix("https") } ?? (facts.transport == .tls)
        let hops = headers[values: .forwardedFor].flatMap { $0.split(separator: ",") }
            .map { String($0.filter { $0 != " " }) }
        for hop in hops.reversed() {
            guard AddressRange.bytes(of: hop) != nil else { break }
            if !contains(hop) { return (hop, isSecure) }
        }
        return (facts.peerAddress, isSecure)
    }

    private func contains(_ address: String) -> Bool {
        guard let bytes = AddressRange.bytes(of: address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }
}
