import VigilInterface
import VigilModel
import VigilServices

/// The pages of one person, of roles, and of panels.
enum PeoplePages {
    static let all = [
        PageDeclaration(
            "/users/{user}", template: "user", permission: Permission("user", "read"),
            title: { $0["user"]?["username"]?.text ?? "User" },
            sources: [
                .init("user", "/api/users/{user}"),
                .init("roles", "/api/roles", optional: true),
                .init("assigned", "/api/users/{user}/assignments", optional: true),
                .init("sessions", "/api/users/{user}/sessions?limit=100", optional: true),
            ], complete: complete),
        PageDeclaration(
            "/roles", template: "roles", permission: Permission("role", "read"), title: { _ in "Roles" },
            sources: [.init("roles", "/api/roles")]),
        PageDeclaration(
            "/panels", template: "panels", permission: Permission("panel", "read"), title: { _ in "Panels" },
            sources: [.init("panels", "/api/panels")]),
    ]

    /// Which roles the person has, how they sign in, and the lists of what they see as texts.
    @Sendable private static func complete(
        _ values: inout [String: JSONValue], _ renderer: PageRenderer, _ request: Request
    ) async throws {
        guard let user = values["user"] else { return }
        let held = (user["roles"]?.elements ?? []).compactMap(\.text)
        values["userID"] = user["id"] ?? .null
        values["roleChoices"] = .array(
            (values["roles"]?["items"]?.elements ?? []).map { role in
                .object([
                    "code": role["code"] ?? .null, "name": role["name"] ?? .null,
                    "isChosen": .bool(role["code"]?.text.map(held.contains) ?? false),
                ])
            })
        values["methods"] = .array(
            AuthMethod.allCases.map { method in
                .object([
                    "name": .string(method.rawValue), "isChosen": .bool(user["authMethod"]?.text == method.rawValue),
                ])
            })
        values["isSelf"] = .bool(request.principal.user.map { user["id"]?.text == $0.description } ?? false)
        if var assigned = values["assigned"]?.members {
            for list in ["devices", "locations", "sites", "clients"] {
                let codes = (assigned[list]?.elements ?? []).compactMap(\.text)
                assigned[list + "Text"] = .string(codes.joined(separator: ", "))
            }
            values["assigned"] = .object(assigned)
        }
    }
}
