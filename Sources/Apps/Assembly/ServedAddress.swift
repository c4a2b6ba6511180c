import Synchronization
import VigilServer

/// Where this process is reached, known once it listens: with port 0 the system has chosen it.
final class ServedAddress: Sendable {
    private let found = Mutex<String?>(nil)

    var text: String? { found.withLock { $0 } }

    /// Notes a listener that takes connections; the socket of this machine is none for browsers.
    func note(_ listener: VigilServer.Listener, port: Int?) {
        guard let port else { return }
        let address: String
        switch listener {
        case .tcp(let host, _): address = Self.text("http", host, port)
        case .tls(let host, _, _, _): address = Self.text("https", host, port)
        case .localSocket: return
        }
        found.withLock { $0 = address }
    }

    /// The address that a browser on this machine can open.
    static func text(_ scheme: String, _ host: String, _ port: Int) -> String {
        // Who listens everywhere is reached under this name here; how others call this machine, nobody has said.
        let isEverywhere = ["0.0.0.0", "::", "*", ""].contains(host)
        let name = isEverywhere ? "localhost" : host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name):\(port)"
    }
}
