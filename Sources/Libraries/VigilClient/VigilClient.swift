import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
@_exported public import VigilAPI

/// A server, called over HTTP.
///
/// ```swift
/// let vigil = try VigilClient("https://vigil.example:8080", token: token)
/// for alert in try await vigil.alerts(closures: ["open"]).items { print(alert.title) }
/// ```
///
/// `VigilFolder` of the library `Vigil` takes the same calls for a folder of one's own.
public final class VigilClient: VigilService {
    private let address: String
    private let token: String
    private let http: HTTPClient
    private let timeout: TimeAmount

    /// A client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - address: Scheme, host and port: `http://127.0.0.1:8080`.
    ///   - token: An API token, as `vigil token create` prints it.
    ///   - timeoutSeconds: How long an answer may take to begin.
    /// - Throws: `VigilError` with the code `client.address` when `address` is no HTTP address.
    public init(_ address: String, token: String, timeoutSeconds: Int = 30) throws {
        guard let url = URL(string: address), let scheme = url.scheme, ["http", "https"].contains(scheme),
            url.host != nil
        else {
            throw VigilError(code: "client.address", message: "\(address) is no HTTP address.")
        }
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
        self.token = token
        timeout = .seconds(Int64(timeoutSeconds))
        http = HTTPClient.shared
    }

    /// Sends a call to the server.
    ///
    /// - Throws: `VigilError` with the code `client.unreachable` when no answer came.
    public func send(_ call: Call) async throws -> Answer {
        var request = HTTPClientRequest(url: address + call.path + Self.text(of: call.query))
        request.method = HTTPMethod(rawValue: call.method)
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if !call.body.isEmpty {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(ByteBuffer(bytes: call.body))
        }
        do {
            let response = try await http.execute(request, timeout: timeout)
            return Answer(status: Int(response.status.code), pieces: Self.pieces(of: response.body))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw VigilError(code: "client.unreachable", message: "\(address) did not answer: \(error).")
        }
    }

    private static func pieces(of body: HTTPClientResponse.Body) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            let work = Task {
                do {
                    for try await piece in body { continuation.yield(Array(piece.readableBytesView)) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }

    private static func text(of query: [(name: String, value: String)]) -> String {
        guard !query.isEmpty else { return "" }
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return "?"
            + query.map { "\($0.name)=\($0.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
            .joined(separator: "&")
    }
}
