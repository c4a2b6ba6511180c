import HTTPTypes
import VigilModel
package import VigilServices

/// Rules.
package enum RuleRoutes {
    package static func all(_ alerting: AlertingService) -> [Endpoint] {
        [
            .get(
                "/api/rules", "The rules, by name.", tag: "rules", access: .permission("rule", "read"),
                parameters: [
                    .init("cursor", "Where the page begins."), .init("limit", "At most 500; 50 when absent."),
                ],
                answers: Page<RuleView>.self
            ) { request in
                let limit = try limit(of: request)
                let rules = try await alerting.rules(
                    after: request.queryValue("cursor"), limit: limit + 1, in: request.principal.requiredScope())
                let items = Array(rules.prefix(limit))
                return Page(items: items, next: rules.count > limit ? items.last?.rule.name : nil)
            },
            .send(
                .post, "/api/rules", "Makes a rule.", tag: "rules", access: .permission("rule", "create"),
                body: RuleForm.self, answers: RuleView.self, status: .created
            ) { request, form in
                try await alerting.createRule(form, by: request.principal)
            },
            .get(
                "/api/rules/{rule}", "A rule.", tag: "rules", access: .permission("rule", "read"),
                answers: RuleView.self
            ) { request in
                try await alerting.rule(try identifier(request), in: request.principal.requiredScope())
            },
            .send(
                .put, "/api/rules/{rule}", "Replaces a rule.", tag: "rules", access: .permission("rule", "update"),
                body: RuleForm.self, answers: RuleView.self
            ) { request, form in
                try await alerting.updateRule(
                    try identifier(request), to: form, version: try request.expectedVersion(), by: request.principal)
            },
            .silent(
                .delete, "/api/rules/{rule}", "Removes a rule; its alerts stay.", tag: "rules",
                access: .permission("rule", "delete")
            ) { request in
                try await alerting.deleteRule(try identifier(request), by: request.principal)
            },
        ]
    }

    private static func identifier(_ request: Request) throws(ServiceError) -> RuleID {
        guard let id = RuleID(request.pathValue("rule")) else { throw .notFound("rule") }
        return id
    }

    static func limit(of request: Request) throws(ServiceError) -> Int {
        let limit = try request.queryValue("limit", as: Int.self) ?? 50
        guard (1...500).contains(limit) else { throw .invalid("limit", "must be 1 to 500", code: "request.query") }
        return limit
    }
}

extension RuleView: Versioned {}
