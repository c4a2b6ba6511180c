import Crypto
import Foundation
import HTTPTypes
package import VigilInterface
import VigilModel
import VigilPorts
package import VigilServices

/// Keeps the answers of requests that carry an `Idempotency-Key`.
///
/// The key is bound to who sends it, to method and address, and to query and body: the same request gets the same answer,
/// and another query or body under the same key is refused.
package struct KeptAnswers: RequestReplay {
    private let service: IdempotencyService

    package init(_ service: IdempotencyService) {
        self.service = service
    }

    package func run(
        _ endpoint: Endpoint, _ request: Request, _ handler: @Sendable (Request) async throws -> Response
    ) async throws -> Response {
        guard request.method == .post, let text = request.headers[.idempotencyKey], let scope = request.principal.scope
        else { return try await handler(request) }
        guard (1...128).contains(text.utf8.count) else {
            throw ServiceError.invalid("Idempotency-Key", "must have 1 to 128 bytes", code: "idempotency.key")
        }
        let body = try await request.body.collected(limit: endpoint.bodyLimit)
        var request = request
        request.body = RequestBody(bytes: body)
        let key = Self.digest(Array("\(request.principal.subject)\n\(request.method) \(request.path)\n\(text)".utf8))
        switch try await claim(key, Self.digest(Self.query(of: request) + body), scope) {
        case .answered(let answer): return Self.response(answer)
        case .ours: return try await first(key, endpoint, request, scope, handler)
        }
    }

    private func claim(_ key: String, _ hash: String, _ scope: AccessScope) async throws -> IdempotencyService.Claim {
        do {
            return try await service.claim(key, bodyHash: hash, in: scope)
        } catch let error as StoreError where error.code == .uncertain {
            // The key may have been taken, but nothing was begun under it.
            service.leaveOpen(key, in: scope, at: 1)
            throw error
        }
    }

    private func first(
        _ key: String, _ endpoint: Endpoint, _ request: Request, _ scope: AccessScope,
        _ handler: @Sendable (Request) async throws -> Response
    ) async throws -> Response {
        let witness = service.witness(for: key, in: scope)
        let response: Response
        do {
            response = try await CommitWitness.$current.withValue(witness) { try await handler(request) }
        } catch let error as StoreError where error.code == .uncertain {
            // The key stays: whoever sends it again learns whether the first request was carried out.
            service.leaveOpen(key, in: scope, at: witness.lastNumber)
            throw error
        } catch {
            // What failed may be sent again: nothing was done, or doing it is the caller's question once more.
            try? await service.abandon(key, in: scope)
            throw error
        }
        do {
            try await service.finish(key, in: scope, with: Self.answer(response), isSecret: endpoint.answersSecret)
        } catch {
            // It was done, so the key must not be free again.
            service.leaveOpen(key, in: scope, at: witness.lastNumber)
        }
        return response
    }

    /// The query, so that no two different ones with their bodies read the same; without what signs in.
    private static func query(of request: Request) -> [UInt8] {
        let items = request.query.filter { $0.name != "p" }.map { [$0.name, $0.value] }
        return (try? Array(JSONEncoder().encode(items))) ?? []
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: Data(bytes)).map { String(format: "%02x", $0) }.joined()
    }

    private static func answer(_ response: Response) -> IdempotencyService.Answer {
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes }
        return IdempotencyService.Answer(
            status: response.status.code, contentType: response.headers[.contentType],
            location: response.headers[.location], entityTag: response.headers[.eTag], body: body)
    }

    private static func response(_ answer: IdempotencyService.Answer) -> Response {
        var headers: HTTPFields = [.idempotencyReplayed: "true"]
        headers[.contentType] = answer.contentType
        headers[.location] = answer.location
        headers[.eTag] = answer.entityTag
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: headers,
            body: answer.body.isEmpty ? .none : .bytes(answer.body))
    }
}
