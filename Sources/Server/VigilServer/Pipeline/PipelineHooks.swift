package import VigilInterface
package import VigilServices

/// What the pipeline leaves to others.
package struct PipelineHooks: Sendable {
    /// Makes the page that tells a person of a problem; `nil` answers the problem as JSON.
    package var errorPage: @Sendable (Problem) -> Response? = { _ in nil }
    /// Answers an address that is not there to a browser; `nil` answers the problem as JSON to everybody.
    package var lostPage: Endpoint?
    /// Where the pictures of pages may come from beside this server, as a content security policy names it.
    package var pictures: String?
    package var idempotency: any RequestReplay = NoReplay()
    /// Who hears live messages; `nil` offers none.
    package var liveHub: LiveHub?
    /// Named in the log when nothing can be stored.
    package var dataFolder: String?
    let notices = Notices()

    package init() {}
}

/// Answers a request that was sent before with the answer it had.
package protocol RequestReplay: Sendable {
    /// Runs `handler`, or returns what it answered to the same request before.
    func run(
        _ endpoint: Endpoint, _ request: Request, _ handler: @Sendable (Request) async throws -> Response
    ) async throws -> Response
}

/// Runs every request.
package struct NoReplay: RequestReplay {
    package init() {}

    package func run(
        _ endpoint: Endpoint, _ request: Request, _ handler: @Sendable (Request) async throws -> Response
    ) async throws -> Response {
        try await handler(request)
    }
}
