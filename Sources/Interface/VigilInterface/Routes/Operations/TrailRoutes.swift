import HTTPTypes
import VigilModel
import VigilPorts
package import VigilServices

/// What was done, what came in, and what is being worked on.
package enum TrailRoutes {
    package static func all(_ audit: AuditList, _ ingest: IngestLog, _ jobs: JobService) -> [Endpoint] {
        [trail(audit), batches(ingest)] + work(jobs)
    }

    private static func trail(_ audit: AuditList) -> Endpoint {
        .get(
            "/api/audit", "Who changed what, newest first.", tag: "operations", access: .permission("audit", "read"),
            parameters: [
                .init("resource", "device, user, rule, …."), .init("id", "The resource's identifier."),
                .init("action", "create, update, delete, …."), .init("actor", "A user's UUID."),
                .init("from", "RFC 3339."), .init("to", "RFC 3339, not included."),
            ] + PlaceRoutes.paging, answers: Page<AuditList.Entry>.self
        ) { request in
            var filter = AuditList.Filter()
            filter.resource = request.queryValue("resource").flatMap { $0.isEmpty ? nil : $0 }
            filter.resourceID = request.queryValue("id").flatMap { $0.isEmpty ? nil : $0 }
            filter.action = request.queryValue("action").flatMap { $0.isEmpty ? nil : $0 }
            filter.actor = try request.queryValue("actor", as: UserID.self)
            filter.from = try request.queryValue("from", as: Timestamp.self)
            filter.to = try request.queryValue("to", as: Timestamp.self)
            let portion = try await audit.entries(
                filter, PlaceRoutes.page(of: request), in: request.principal.requiredScope())
            return Page(items: portion.items, next: portion.next?.text)
        }
    }

    private static func batches(_ ingest: IngestLog) -> Endpoint {
        .get(
            "/api/ingest/log", "What came in, batch by batch, newest first.", tag: "readings",
            access: .permission("ingest", "read"),
            parameters: [.init("status", "success, partial or error.")] + PlaceRoutes.paging,
            answers: Page<IngestLog.Entry>.self
        ) { request in
            let status = request.queryValue("status").flatMap { $0.isEmpty ? nil : $0 }
            guard status.map({ ["success", "partial", "error"].contains($0) }) ?? true else {
                throw ServiceError.invalid("status", "must be success, partial or error", code: "request.query")
            }
            let portion = try await ingest.entries(
                status: status, PlaceRoutes.page(of: request), in: request.principal.requiredScope())
            return Page(items: portion.items, next: portion.next?.text)
        }
    }

    private static func work(_ jobs: JobService) -> [Endpoint] {
        [
            .get(
                "/api/jobs", "Background work, newest first.", tag: "operations",
                access: .permission("job", "read"),
                parameters: [
                    .init("state", "waiting, running, done or dead; may come more than once."),
                    .init("cursor", "Where the page begins."), .init("limit", "At most 500; 50 when absent."),
                ], answers: Page<JobService.View>.self
            ) { request in
                var states: Set<Job.State> = []
                for text in request.queryValues("state") where !text.isEmpty {
                    guard let state = Job.State(rawValue: text) else {
                        throw ServiceError.invalid(
                            "state", "must be waiting, running, done or dead", code: "request.query")
                    }
                    states.insert(state)
                }
                let limit = try RuleRoutes.limit(of: request)
                let found = try await jobs.jobs(
                    states, after: request.queryValue("cursor").flatMap { JobID($0) }, limit: limit + 1,
                    in: request.principal.requiredScope())
                let items = Array(found.prefix(limit))
                return Page(items: items, next: found.count > limit ? items.last?.id.description : nil)
            },
            .silent(
                .post, "/api/jobs/{job}/requeue", "Lets a dead job wait again.", tag: "operations",
                access: .permission("job", "update")
            ) { request in
                guard let id = JobID(request.pathValue("job")) else { throw ServiceError.notFound("job") }
                try await jobs.requeue(id, in: request.principal.requiredScope())
            },
        ]
    }
}
