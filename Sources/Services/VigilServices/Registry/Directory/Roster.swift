package import VigilModel

/// The devices of a site, or one alone, as questions about newest values need them.
package final class Roster: Sendable {
    package struct Member: Sendable {
        package let device: DeviceID
        /// The code, or the name of a device without one.
        package let code: String
        /// Metric → the unit in which it is reported, as far as anybody said.
        package let units: [String: String]

        package init(device: DeviceID, code: String, units: [String: String]) {
            self.device = device
            self.code = code
            self.units = units
        }
    }

    /// By code.
    package let members: [Member]
    package let devices: Set<DeviceID>
    private let places: [DeviceID: Int]

    package init(_ members: [Member]) {
        self.members = members.sorted { ($0.code, $0.device) < ($1.code, $1.device) }
        devices = Set(members.map(\.device))
        places = Dictionary(zip(self.members.map(\.device), self.members.indices), uniquingKeysWith: { $1 })
    }

    /// The place of a device among the members.
    package func place(of device: DeviceID) -> Int? { places[device] }
}

/// Rosters that were read, by what was asked.
///
/// Bounded by the devices in them. They are forgotten like the devices of the directory, all of a tenant at once: a device
/// that comes to a site is in none of its rosters.
package struct RosterShelf {
    package enum Subject: Hashable {
        /// A site, as somebody named it.
        case site(String)
        case device(DeviceID)
    }

    private struct Held {
        let roster: Roster
        let until: Timestamp
    }

    private var held: [TenantID: [Subject: Held]] = [:]
    private var memberCount = 0
    /// Counts what was forgotten, so that rows that were read before are not kept after.
    private var editions: [TenantID: Int] = [:]

    package init() {}

    var tenants: [TenantID] { Array(held.keys) }

    package func edition(of tenant: TenantID) -> Int { editions[tenant, default: 0] }

    package func find(_ subject: Subject, tenant: TenantID, at now: Timestamp) -> Roster? {
        guard let known = held[tenant]?[subject], known.until > now else { return nil }
        return known.roster
    }

    /// Keeps a roster, unless something was forgotten since the tenant's `edition`.
    package mutating func keep(
        _ roster: Roster, for subject: Subject, tenant: TenantID, edition: Int, until: Timestamp, membersMax: Int
    ) {
        guard self.edition(of: tenant) == edition else { return }
        let count = Self.weight(roster)
        if let old = held[tenant]?.removeValue(forKey: subject) { memberCount -= Self.weight(old.roster) }
        // Starting over is as good as any other choice here, as in the directory itself.
        if memberCount + count > membersMax { (held, memberCount) = ([:], 0) }
        guard count <= membersMax else { return }
        held[tenant, default: [:]][subject] = Held(roster: roster, until: until)
        memberCount += count
    }

    package mutating func forget(_ tenant: TenantID) {
        editions[tenant, default: 0] += 1
        guard let gone = held.removeValue(forKey: tenant) else { return }
        memberCount -= gone.values.reduce(0) { $0 + Self.weight($1.roster) }
    }

    /// A site without devices takes room too.
    private static func weight(_ roster: Roster) -> Int { roster.members.count + 1 }
}
