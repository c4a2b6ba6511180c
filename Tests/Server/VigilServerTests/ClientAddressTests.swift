import HTTPTypes
import Testing
import VigilServer

@Suite struct ClientAddressTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let peer: String
        let forwarded: [String]
        let expected: String
        var testDescription: String { "\(peer) for \(forwarded)" }

        init(_ peer: String, _ forwarded: [String], _ expected: String) {
            self.peer = peer
            self.forwarded = forwarded
            self.expected = expected
        }
    }

    static let cases = [
        Case("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        Case("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        Case("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        Case("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        Case("10.0.0.1", ["nonsense"], "10.0.0.1"),
        Case("10.0.0.1", [], "10.0.0.1"),
        Case("fd00::5", ["2001:db8::1"], "2001:db8::1"),
    ]

    @Test(arguments: cases)
    func `only a trusted proxy is believed, and only about the nearest stranger`(item: Case) throws {
        let proxies = try TrustedProxies(["10.0.0.0/8", "fd00::/8"])
        var headers = HTTPFields()
        for value in item.forwarded { headers.append(HTTPField(name: .named("X-Forwarded-For"), value: value)) }
        let facts = ConnectionFacts(transport: .tcp, peerAddress: item.peer)
        #expect(proxies.client(of: facts, headers).address == item.expected)
    }

    @Test func `a proxy's word decides whether the client came over TLS`() throws {
        let proxies = try TrustedProxies(["10.0.0.0/8"])
        let headers: HTTPFields = [.named("X-Forwarded-Proto"): "https"]
        #expect(proxies.client(of: ConnectionFacts(transport: .tcp, peerAddress: "10.0.0.1"), headers).isSecure)
        #expect(!proxies.client(of: ConnectionFacts(transport: .tcp, peerAddress: "192.0.2.1"), headers).isSecure)
    }

    @Test func `an origin is ours only with scheme, host and port`() {
        let headers: HTTPFields = [.named("Host"): "vigil.example:8443"]
        #expect(CrossSiteGuard.isOwn("https://vigil.example:8443", headers, isSecure: true))
        for foreign in [
            "http://vigil.example:8443", "https://vigil.example", "https://evil.example:8443",
            "https://vigil.example:8443.evil.example", "null", "",
        ] {
            #expect(!CrossSiteGuard.isOwn(foreign, headers, isSecure: true), "\(foreign)")
        }
    }
}
