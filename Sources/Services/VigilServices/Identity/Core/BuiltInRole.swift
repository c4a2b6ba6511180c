package import VigilModel

/// The roles that every tenant has: the union of what the five reference systems know.
///
/// A role is its list of permissions, never a level: whether one may grant another follows from comparing the lists
/// (``Swift/Collection/mayGrant(_:)``). `Docs/Reference/permissions.md` is made from this.
package enum BuiltInRole: String, Sendable, CaseIterable, Codable {
    case superUser = "super_user"
    case superAdmin = "super_admin"
    case provider
    case admin
    case manager
    case analyst
    case operatorRole = "operator"
    case technician
    case client
    case viewer

    /// Whether it can be given only to members of a provider tenant.
    package var isForProviders: Bool {
        switch self {
        case .superUser, .superAdmin, .provider: true
        case .admin, .manager, .analyst, .operatorRole, .technician, .client, .viewer: false
        }
    }

    package var title: String {
        switch self {
        case .superUser: "Super user"
        case .superAdmin: "Super administrator"
        case .provider: "Provider staff"
        case .admin: "Administrator"
        case .manager: "Manager"
        case .analyst: "Analyst"
        case .operatorRole: "Operator"
        case .technician: "Technician"
        case .client: "Client"
        case .viewer: "Viewer"
        }
    }

    package var summary: String {
        switch self {
        case .superUser: "Everything in the provider and in all its clients."
        case .superAdmin: "As the super user, without deleting clients, devices, roles, alarms and files."
        case .provider: "Staff of a provider who look after clients: people, devices, alarms, reports."
        case .admin: "Everything in the tenant."
        case .manager: "Sees everything; reports, rules, alerts, and the fields and devices they rest on."
        case .analyst: "Sees everything; asks, analyses and writes reports."
        case .operatorRole: "Watches the plant: readings, alerts, notes."
        case .technician: "Keeps devices working: profiles, attributes, fields, calibration."
        case .client: "A client of a provider: their own people, devices, alarms and reports."
        case .viewer: "Looks, and changes nothing."
        }
    }

    package var permissions: [Permission] {
        Self.lists[self, default: []]
    }

    private static let lists: [BuiltInRole: [Permission]] = [
        .superUser: parsed("*"),
        .superAdmin: parsed(
            """
            *:read *:create *:update *:acknowledge *:resolve *:dismiss *:assign *:claim *:revoke *:send *:share \
            *:download *:write *:query *:act *:delegate *:manage user:delete dashboard:delete report:delete \
            template:delete token:delete session:delete rule:delete location:delete document:delete
            """),
        .provider: parsed(
            """
            client:act tenant:read tenant:update user:* session:* role:read assignment:* site:read site:update \
            location:read location:update device:read device:update device:claim profile:read reading:read \
            field:read alert:* rule:* command:read command:delegate dashboard:* widget:* template:* report:* \
            setting:* file:* notification:send document:read job:read audit:read graph:query
            """),
        .admin: parsed("*"),
        .manager: parsed(
            """
            *:read alert:* rule:* report:* dashboard:* notification:send field:* device:update document:* file:* \
            graph:query
            """),
        .analyst: parsed("*:read analysis:* report:* dashboard:* document:create document:update graph:query"),
        .operatorRole: parsed(viewing + " reading:write alert:acknowledge alert:resolve alert:dismiss command:read"),
        .technician: parsed(
            viewing
                + """
                 reading:write alert:acknowledge alert:resolve command:read device:update device:claim \
                profile:create profile:update field:read field:update job:read
                """),
        .client: parsed(
            viewing
                + """
                 tenant:read tenant:update user:create user:read user:update user:delete session:* role:read \
                assignment:* device:create device:update device:claim reading:write alert:acknowledge alert:resolve \
                alert:dismiss command:read dashboard:* report:* file:upload audit:read
                """),
        .viewer: parsed(viewing),
    ]

    /// What everybody may look at.
    private static let viewing = """
        site:read location:read device:read profile:read reading:read alert:read rule:read dashboard:read report:read \
        file:read
        """

    private static func parsed(_ list: String) -> [Permission] {
        list.split(separator: " ").map { word in
            guard let permission = Permission(String(word)) else {
                preconditionFailure("BUG: a built-in role has a malformed permission")
            }
            return permission
        }
    }
}

extension Collection<Permission> {
    /// Whether someone who holds these may give all of `others` away: each is covered by one that is held.
    package func mayGrant(_ others: some Sequence<Permission>) -> Bool {
        others.allSatisfy { allow($0) }
    }

    /// What both lists allow.
    package func intersection(_ others: some Collection<Permission>) -> [Permission] {
        var result: [Permission] = []
        for left in self {
            for right in others {
                guard let resource = Self.narrower(left.resource, right.resource),
                    let action = Self.narrower(left.action, right.action)
                else { continue }
                let both = Permission(resource, action)
                if !result.allow(both) { result.append(both) }
            }
        }
        return result
    }

    private static func narrower(_ left: String, _ right: String) -> String? {
        left == "*" ? right : right == "*" || left == right ? left : nil
    }
}
