import HTTPTypes
import VigilModel
package import VigilServices

/// Fields that devices report and nobody has described.
package enum FieldRoutes {
    package static func all(_ catalogue: FieldCatalogue) -> [Endpoint] {
        [
            .get(
                "/api/fields", "Fields that nobody has described, by name.", tag: "fields",
                access: .permission("field", "read"),
                parameters: [
                    .init("state", "new, promoted or ignored."), .init("search", "A part of the name."),
                ] + PlaceRoutes.paging, answers: Page<UnknownField>.self
            ) { request in
                let state = try request.queryValue("state").flatMap { text throws(ServiceError) in
                    if text.isEmpty { return UnknownField.State?.none }
                    guard let state = UnknownField.State(rawValue: text) else {
                        throw .invalid("state", "must be new, promoted or ignored", code: "request.query")
                    }
                    return state
                }
                let portion = try await catalogue.fields(
                    state: state, search: request.queryValue("search").flatMap { $0.isEmpty ? nil : $0 },
                    PlaceRoutes.page(of: request), in: request.principal.requiredScope())
                return Page(items: portion.items, next: portion.next?.text)
            },
            .get(
                "/api/fields/{field}", "A field, by its name or identifier.", tag: "fields",
                access: .permission("field", "read"), answers: UnknownField.self
            ) { request in
                try await catalogue.field(request.pathValue("field"), in: request.principal.requiredScope())
            },
            .send(
                .put, "/api/fields/{field}/state",
                "Promotes a field to a metric like any other, ignores it, or makes it new again.", tag: "fields",
                access: .permission("field", "update"), body: FieldDecision.self, answers: UnknownField.self
            ) { request, decision in
                try await catalogue.decide(
                    request.pathValue("field"), decision, version: try request.expectedVersion(),
                    by: request.principal)
            },
        ]
    }
}

extension UnknownField: Versioned {}
