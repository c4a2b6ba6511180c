import Foundation
import NIOCore

/// Why a listener could not begin, in words that say what to change.
package struct ListenFault: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }

    /// A file of the configuration that cannot be used.
    init(file: String, key: String, _ reason: String) {
        let isReadable = FileManager.default.isReadableFile(atPath: file)
        description = "\(key): \(file) " + (isReadable ? "is \(reason)" : "cannot be read")
    }

    init(_ listener: VigilServer.Listener, _ error: IOError) {
        let place =
            switch listener {
            case .tcp(let host, let port), .tls(let host, let port, _, _): "port \(port) of \(host)"
            case .localSocket(let path): path
            }
        description =
            switch error.errnoCode {
            case EADDRINUSE: "\(place) is in use by another program; choose another with --port or server.port"
            case EACCES: "\(place) may not be used by this user; choose one above 1023 with --port or server.port"
            case EADDRNOTAVAIL: "\(place): this machine has no such address; see --host or server.host"
            default: "\(place) cannot be listened on: \(error)"
            }
    }
}
