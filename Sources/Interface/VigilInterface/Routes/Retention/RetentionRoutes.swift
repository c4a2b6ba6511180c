import HTTPTypes
import VigilModel
package import VigilServices

/// How long things are kept.
package enum RetentionRoutes {
    package static func all(_ retention: RetentionService) -> [Endpoint] {
        reading(retention) + changes(retention) + work(retention) + archive(retention)
    }

    private static func reading(_ retention: RetentionService) -> [Endpoint] {
        [
            .get(
                "/api/retention/rules", "Retention rules, by subject, the most specific first.", tag: "retention",
                access: .permission("retention", "read"),
                parameters: [.init("subject", "Only rules about this: reading, audit, log, ….")],
                answers: Page<RetentionRule>.self
            ) { request in
                let subject = try request.queryValue("subject").map { text throws(ServiceError) in
                    guard let subject = RetentionSubject(rawValue: text) else {
                        throw .invalid("subject", "is not one that ages", code: "request.query")
                    }
                    return subject
                }
                return Page(items: try await retention.rules(subject, by: request.principal), next: nil)
            },
            .get(
                "/api/retention/rules/{retentionRule}", "A retention rule.", tag: "retention",
                access: .permission("retention", "read"), answers: RetentionRule.self
            ) { request in
                try await retention.rule(try identifier(request), by: request.principal)
            },
            .get(
                "/api/retention/preview", "What would go if the rules were applied now; changes nothing.",
                tag: "retention", access: .permission("retention", "read"), answers: RetentionReport.self
            ) { request in
                try await retention.preview(by: request.principal)
            },
        ]
    }

    private static func changes(_ retention: RetentionService) -> [Endpoint] {
        [
            .send(
                .post, "/api/retention/rules", "Makes a retention rule.", tag: "retention",
                access: .permission("retention", "create"), body: RetentionRuleForm.self, answers: RetentionRule.self,
                status: .created
            ) { request, form in
                try await retention.createRule(form, by: request.principal)
            },
            .send(
                .put, "/api/retention/rules/{retentionRule}", "Replaces a retention rule.", tag: "retention",
                access: .permission("retention", "update"), body: RetentionRuleForm.self, answers: RetentionRule.self
            ) { request, form in
                try await retention.changeRule(
                    try identifier(request), to: form, version: request.expectedVersion(), by: request.principal)
            },
            .silent(
                .delete, "/api/retention/rules/{retentionRule}", "Removes a retention rule.", tag: "retention",
                access: .permission("retention", "delete")
            ) { request in
                try await retention.deleteRule(
                    try identifier(request), version: request.expectedVersion(), by: request.principal)
            },
        ]
    }

    private static func work(_ retention: RetentionService) -> [Endpoint] {
        [
            .send(
                .post, "/api/retention/preset",
                "Adds the rules of a preset; a rule for the same that is there already stays.", tag: "retention",
                access: .permission("retention", "create"), body: RetentionPresetOrder.self,
                answers: Page<RetentionRule>.self
            ) { request, order in
                Page(items: try await retention.apply(order.preset, by: request.principal), next: nil)
            },
            .perform(
                .post, "/api/retention/run", "Applies the rules now.", tag: "retention",
                access: .permission("retention", "run"), answers: RetentionReport.self
            ) { request in
                try await retention.sweepNow(by: request.principal)
            },
        ]
    }

    private static func archive(_ retention: RetentionService) -> [Endpoint] {
        [
            .get(
                "/api/retention/archive", "What lies in the archive, the oldest first.", tag: "retention",
                access: .permission("archive", "read"), answers: Page<ArchiveView>.self
            ) { request in
                Page(items: try await retention.archived(by: request.principal), next: nil)
            },
            .silent(
                .post, "/api/retention/archive/{name}/attach", "Lets questions see a part of the archive.",
                tag: "retention", access: .permission("archive", "update")
            ) { request in
                try await retention.attach(request.pathValue("name"), true, by: request.principal)
            },
            .silent(
                .post, "/api/retention/archive/{name}/detach", "Ends that questions see a part of the archive.",
                tag: "retention", access: .permission("archive", "update")
            ) { request in
                try await retention.attach(request.pathValue("name"), false, by: request.principal)
            },
        ]
    }

    private static func identifier(_ request: Request) throws(ServiceError) -> EntryID {
        guard let id = EntryID(request.pathValue("retentionRule")) else { throw .notFound("retention rule") }
        return id
    }
}

/// Which preset.
package struct RetentionPresetOrder: Codable, Sendable {
    package var preset: RetentionPreset
}

extension RetentionRule: Versioned {}
