import HTTPTypes
import VigilModel
package import VigilPorts
package import VigilServices

/// Hearing of what happens, as it happens.
package enum LiveRoutes {
    /// Where a WebSocket is opened.
    package static let path = "/api/live"
    static let heartbeat = Span.seconds(15)

    /// The endpoints of `hub`.
    package static func endpoints(_ hub: LiveHub, clock: any TimeSource) -> [Endpoint] {
        [socket(), events(hub, clock)]
    }

    /// What a request gets that asks for the socket but is no upgrade, or may not be one.
    private static func socket() -> Endpoint {
        Endpoint(
            .get, path, "Live messages over a WebSocket.", tag: "live", access: .signedIn,
            status: .switchingProtocols
        ) { request in
            if request.headers[.upgrade]?.lowercased() == "websocket" {
                throw ServiceError(.forbidden, "live.origin", "This page may not listen here.")
            }
            let problem = Problem(
                ServiceError(.invalid, "live.upgrade", "Ask for an upgrade to a WebSocket."), instance: request.id)
            var response = try Response.json(problem, status: .upgradeRequired)
            response.headers[.upgrade] = "websocket"
            return response
        }
    }

    private static func events(_ hub: LiveHub, _ clock: any TimeSource) -> Endpoint {
        Endpoint(
            .get, "/api/live/events", "Live messages as server-sent events.", tag: "live", access: .signedIn,
            parameters: [
                Endpoint.Parameter("pattern", "A type, or a beginning with `*`; may come more than once."),
                Endpoint.Parameter("last_sequence", "Begin after this message; also as `Last-Event-ID`."),
            ]
        ) { request in
            let patterns = request.queryValues("pattern")
            let header = lastEventID.flatMap { request.headers[$0] }.flatMap { Int64($0) }
            let last = try header ?? request.queryValue("last_sequence", as: Int64.self)
            let session = try await hub.open(request.principal)
            do {
                try await hub.subscribe(session.id, to: patterns.isEmpty ? ["*"] : patterns, lastSequence: last)
            } catch {
                await hub.close(session.id)
                throw error
            }
            return Response(
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: .stream(stream(session, hub, clock)))
        }
    }

    private static let lastEventID = HTTPField.Name("Last-Event-ID")

    /// The deliveries as events, with a comment now and then so that a dead connection is noticed.
    private static func stream(_ session: LiveSession, _ hub: LiveHub, _ clock: any TimeSource)
        -> AsyncThrowingStream<[UInt8], any Error>
    {
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(LiveHub.bufferedMessages))
        let work = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await delivery in session.deliveries {
                        guard case .message(let sequence, let json) = delivery else { break }
                        let event = Array("id: \(sequence)\ndata: ".utf8) + json + Array("\n\n".utf8)
                        guard case .enqueued = continuation.yield(event) else { break }
                    }
                }
                group.addTask {
                    while (try? await clock.wait(for: heartbeat)) != nil {
                        guard case .enqueued = continuation.yield(Array(":\n\n".utf8)) else { break }
                    }
                }
                await group.next()
                group.cancelAll()
            }
            continuation.finish()
            await hub.close(session.id)
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }
}
