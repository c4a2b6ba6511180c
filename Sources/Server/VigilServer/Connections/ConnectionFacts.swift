/// What is known of a connection before its first byte.
package struct ConnectionFacts: Sendable, Hashable {
    /// How the client reached us.
    package enum Transport: Sendable, Hashable {
        case tcp
        case tls
        /// The socket in the data folder: only who may open that folder gets here.
        case localSocket
    }

    package let transport: Transport
    /// The peer's address without its port; `local` for the socket in the data folder.
    package let peerAddress: String

    package init(transport: Transport, peerAddress: String) {
        self.transport = transport
        self.peerAddress = peerAddress
    }
}
