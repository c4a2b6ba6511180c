import AsyncHTTPClient
import Foundation
import HTTPTypes
package import Logging
import NIOCore
import NIOHTTP1
import StorageKit
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

/// Calls endpoints of a data folder for the command line.
///
/// When a server holds the folder, the call goes through its socket; otherwise the folder is opened, the same handler is
/// called in this process, and the folder is closed again.
package struct LocalAPI: Sendable {
    /// What an endpoint answered.
    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]

        package var isSuccess: Bool { (200..<300).contains(status) }
    }

    /// What is sent with a call.
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A file, sent as it is read.
        case file(FilePieces)
    }

    private let settings: Settings
    private let logger: Logger

    package init(settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Sends a body of JSON or another form, and gives the answer, also when it is a refusal.
    package func call(
        _ method: String, _ path: String, query: [(String, String)] = [], body: [UInt8] = [],
        contentType: String = "application/json"
    ) async throws -> Answer {
        try await call(method, path, query: query, sending: .bytes(body), contentType: contentType)
    }

    /// Sends a body of any form, and gives the answer, also when it is a refusal.
    package func call(
        _ method: String, _ path: String, query: [(String, String)], sending body: Body, contentType: String
    ) async throws -> Answer {
        let target = query.isEmpty ? path : path + "?" + Self.text(of: query)
        do {
            let folder = try DataFolder(settings.data)
            return try await inProcess(folder, method, path, query: query, body: body, contentType: contentType)
        } catch is FolderLock.Held {
            return try await throughSocket(method, target, body: body, contentType: contentType)
        }
    }

    private func inProcess(
        _ folder: DataFolder, _ method: String, _ path: String, query: [(String, String)], body: Body,
        contentType: String
    ) async throws -> Answer {
        let clock = SystemClock()
        let stores = try await StoreFactory.open(folder, settings, clock: clock)
        let core = Core(
            stores: stores, clock: clock,
            key: try await folder.masterKey(settings, stores),
            data: settings.data,
            geometry: try await StoreFactory.geometry(on: stores.relational), people: settings.people,
            ingest: settings.ingest)
        let answer: Answer
        do {
            answer = try await Self.answer(core, method, path, query: query, body: body, contentType: contentType)
        } catch {
            await core.close()
            throw error
        }
        await core.close()
        return answer
    }

    /// Asks for something large, and hands out each piece of the answer as it comes.
    ///
    /// - Returns: The answer when it is a refusal.
    package func stream(
        _ path: String, query: [(String, String)], _ take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws -> Answer? {
        let folder: DataFolder
        do {
            folder = try DataFolder(settings.data)
        } catch is FolderLock.Held {
            return try await streamThroughSocket(path + "?" + Self.text(of: query), take)
        }
        let clock = SystemClock()
        let stores = try await StoreFactory.open(folder, settings, clock: clock)
        let core = Core(
            stores: stores, clock: clock,
            key: try await folder.masterKey(settings, stores), data: settings.data)
        let outcome: Result<Answer?, any Error>
        do {
            let request = Self.request("GET", path, query: query, body: .bytes([]), contentType: "application/json")
            do {
                let response = try await EndpointTable(core.api()).respond(to: request)
                guard case .stream(let pieces) = response.body else {
                    throw ServiceError(.unavailable, "local.stream", "The answer is not a stream.")
                }
                for try await piece in pieces { try take(piece) }
                outcome = .success(nil)
            } catch let error as ServiceError {
                outcome = .success(try Self.refusal(error))
            }
        } catch {
            outcome = .failure(error)
        }
        await core.close()
        return try outcome.get()
    }

    private func streamThroughSocket(_ target: String, _ take: ([UInt8]) throws -> Void) async throws -> Answer? {
        let response = try await send("GET", target, body: .bytes([]), contentType: "application/json")
        guard (200..<300).contains(response.status.code) else {
            let answer = try await response.body.collect(upTo: 1 << 20)
            return Answer(status: Int(response.status.code), body: Array(answer.readableBytesView))
        }
        for try await piece in response.body { try take(Array(piece.readableBytesView)) }
        return nil
    }

    private static func answer(
        _ core: Core, _ method: String, _ path: String, query: [(String, String)], body: Body, contentType: String
    ) async throws -> Answer {
        let request = request(method, path, query: query, body: body, contentType: contentType)
        do {
            let response = try await EndpointTable(core.api()).respond(to: request)
            return Answer(status: response.status.code, body: try await bytes(of: response.body))
        } catch let error as ServiceError {
            return try refusal(error)
        } catch let error as StoreError {
            guard let service = ServiceError(error) else { throw error }
            return try refusal(service)
        }
    }

    private static func requestBody(_ body: Body) -> RequestBody {
        switch body {
        case .bytes(let bytes): RequestBody(bytes: bytes)
        case .file(let pieces): RequestBody(pieces, declaredLength: Int(pieces.count))
        }
    }

    private static func request(
        _ method: String, _ path: String, query: [(String, String)], body: Body, contentType: String
    ) -> Request {
        let principal = Principal(
            subject: .local, tenant: nil, permissions: [Permission("*", "*")], scope: nil, name: "local")
        return Request(
            method: HTTPRequest.Method(rawValue: method) ?? .get, path: path,
            query: query.map { (name: $0.0, value: $0.1) }, headers: [.contentType: contentType],
            body: requestBody(body), principal: principal)
    }

    private static func refusal(_ error: ServiceError) throws -> Answer {
        let problem = Problem(error)
        return Answer(status: problem.status, body: Array(try JSONEncoder().encode(problem)))
    }

    private static func bytes(of body: Response.Body) async throws -> [UInt8] {
        switch body {
        case .none: return []
        case .bytes(let bytes): return bytes
        case .stream(let pieces):
            var all: [UInt8] = []
            for try await piece in pieces { all += piece }
            return all
        }
    }

    private func throughSocket(_ method: String, _ target: String, body: Body, contentType: String) async throws
        -> Answer
    {
        let response = try await send(method, target, body: body, contentType: contentType)
        let answer = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: Int(response.status.code), body: Array(answer.readableBytesView))
    }

    private func send(
        _ method: String, _ target: String, body: Body, contentType: String
    ) async throws -> HTTPClientResponse {
        let socket = URL(filePath: settings.data + "/vigil.sock").path(percentEncoded: false)
        let host = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        var request = HTTPClientRequest(url: "http+unix://\(host)\(target)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Content-Type", value: contentType)
        request.headers.add(name: "Host", value: "localhost")
        switch body {
        case .bytes(let bytes): request.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let pieces):
            request.body = .stream(pieces.map { ByteBuffer(bytes: $0) }, length: .known(pieces.count))
        }
        return try await HTTPClient.shared.execute(request, timeout: .hours(1))
    }

    private static func text(of query: [(String, String)]) -> String {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return query.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        }
        .joined(separator: "&")
    }
}
