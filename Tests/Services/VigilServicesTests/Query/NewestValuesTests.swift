import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What is newest of a site, whatever is remembered of its devices.
@Suite struct NewestValuesTests {
    private func registry(_ world: World, _ directory: DeviceDirectory? = nil) throws -> RegistryService {
        RegistryService(
            stores: world.stores, clock: world.clock,
            secrets: SecretBox(try #require(MasterKey(bytes: Array(repeating: 7, count: 32))).derive("connection")),
            directory: directory ?? world.directory)
    }

    /// Two sites, `north` with two devices that have reported, `south` with none.
    private func sites(_ world: World) async throws -> RegistryService {
        let registry = try registry(world)
        for code in ["north", "south"] {
            _ = try await registry.createSite(
                SiteDraft(code: code, name: code), by: world.principal, in: world.scope)
        }
        for code in ["b", "a"] {
            var settings = DeviceSettings()
            (settings.code, settings.site, settings.handler) = (code, "north", "custom")
            _ = try await registry.createDevice(
                DeviceDraft(name: code, settings: settings), by: world.principal, in: world.scope)
            try await world.lines("m,device=\(code) y=2,x=1 1748779190")
        }
        return registry
    }

    private func change(_ site: String) -> DeviceChange {
        var change = DeviceChange()
        change.site = .set(site)
        return change
    }

    /// `device metric unit` of each value of a site.
    private func told(_ world: World, _ site: String, in scope: AccessScope? = nil) async throws -> [String] {
        try await world.query.latest(ofSite: site, in: scope ?? world.scope).map {
            "\($0.code) \($0.metric)" + ($0.unit.map { " \($0)" } ?? "")
        }
    }

    @Test func `a site's values come by device and then by metric`() async throws {
        try await withWorld { world in
            _ = try await sites(world)
            #expect(try await told(world, "north") == ["a m_x", "a m_y", "b m_x", "b m_y"])
            #expect(try await told(world, "south").isEmpty)
            await #expect(throws: ServiceError.self) { _ = try await told(world, "west") }
        }
    }

    @Test func `a device that moves, or is deleted, is at once where it is`() async throws {
        try await withWorld { world in
            let registry = try await sites(world)
            #expect(try await told(world, "north").count == 4)
            #expect(try await told(world, "south").isEmpty)
            _ = try await registry.changeDevice("a", change("south"), by: world.principal, in: world.scope)
            #expect(try await told(world, "north") == ["b m_x", "b m_y"])
            #expect(try await told(world, "south") == ["a m_x", "a m_y"])
            try await registry.deleteDevice("b", by: world.principal, in: world.scope)
            #expect(try await told(world, "north").isEmpty)
            await #expect(throws: ServiceError.self) {
                _ = try await world.query.latest(ofDevice: "b", in: world.scope)
            }
        }
    }

    @Test func `a device's new code and a new device show at once`() async throws {
        try await withWorld { world in
            let registry = try await sites(world)
            #expect(try await told(world, "north").count == 4)
            #expect(try await world.query.latest(ofDevice: "a", in: world.scope).first?.code == "a")
            var rename = DeviceChange()
            rename.code = "z"
            let device = try await registry.changeDevice("a", rename, by: world.principal, in: world.scope)
            #expect(try await told(world, "north") == ["b m_x", "b m_y", "z m_x", "z m_y"])
            let reference = device.id.description
            #expect(try await world.query.latest(ofDevice: reference, in: world.scope).first?.code == "z")
            var settings = DeviceSettings()
            (settings.code, settings.site, settings.handler) = ("c", "north", "custom")
            _ = try await registry.createDevice(
                DeviceDraft(name: "c", settings: settings), by: world.principal, in: world.scope)
            try await world.lines("m,device=c x=1 1748779190")
            #expect(try await told(world, "north").contains("c m_x"))
        }
    }

    @Test func `a site that is renamed or deleted is no longer found by its code`() async throws {
        try await withWorld { world in
            let registry = try await sites(world)
            for site in ["north", "south"] { _ = try await told(world, site) }
            var rename = SiteChange()
            rename.code = "arctic"
            _ = try await registry.changeSite("north", rename, by: world.principal, in: world.scope)
            #expect(try await told(world, "arctic").count == 4)
            await #expect(throws: ServiceError.self) { _ = try await told(world, "north") }
            try await registry.deleteSite("south", by: world.principal, in: world.scope)
            await #expect(throws: ServiceError.self) { _ = try await told(world, "south") }
        }
    }

    @Test func `who sees some devices of a site is told of these only, whoever asked before`() async throws {
        try await withWorld { world in
            _ = try await sites(world)
            #expect(try await told(world, "north").count == 4)
            let a = try #require(try await world.directory.find("a", tenant: world.tenant)).id
            let one = AccessScope(tenant: world.tenant, visibility: .assigned(devices: [a], locations: []))
            #expect(try await told(world, "north", in: one) == ["a m_x", "a m_y"])
            #expect(try await told(world, "north").count == 4)
            let none = AccessScope(tenant: world.tenant, visibility: .assigned(devices: [], locations: []))
            #expect(try await told(world, "north", in: none).isEmpty)
            await #expect(throws: ServiceError.self) { _ = try await world.query.latest(ofDevice: "b", in: one) }
            let stranger = AccessScope(tenant: TenantID(high: 1, low: 2))
            await #expect(throws: ServiceError.self) { _ = try await told(world, "north", in: stranger) }
        }
    }

    @Test func `a unit that is new, or another, shows at once`() async throws {
        try await withWorld { world in
            _ = try await sites(world)
            #expect(try await told(world, "north").count == 4)
            for unit in ["bar", "kPa"] {
                try await world.send("{\"metric\": \"p\", \"value\": 1, \"unit\": \"\(unit)\"}", to: "a")
                #expect(try await told(world, "north").contains("a p \(unit)"))
                let newest = try await world.query.latest(ofDevice: "a", in: world.scope)
                #expect(newest.first { $0.metric == "p" }?.unit == unit)
            }
        }
    }

    @Test func `what another process changed shows when its word came, or a minute later`() async throws {
        try await withWorld { world in
            _ = try await sites(world)
            #expect(try await told(world, "north").count == 4)
            // A process of its own: its directory is not ours, and nobody listens to the bus here.
            let other = try registry(world, DeviceDirectory(stores: world.stores, clock: world.clock))
            _ = try await other.changeDevice("a", change("south"), by: world.principal, in: world.scope)
            #expect(try await told(world, "north").count == 4)
            world.clock.move(.seconds(61))
            #expect(try await told(world, "north") == ["b m_x", "b m_y"])
            _ = try await other.changeDevice("b", change("south"), by: world.principal, in: world.scope)
            await world.directory.forget(nil, tenant: world.tenant)
            #expect(try await told(world, "north").isEmpty)
        }
    }

    // MARK: - The shelf

    private let tenant = TenantID(high: 1, low: 1)
    private let later = Timestamp(seconds: 100)

    private func roster(_ count: Int) -> Roster {
        Roster(
            (0..<count).map { Roster.Member(device: DeviceID(high: 7, low: UInt64($0)), code: "\($0)", units: [:]) })
    }

    @Test func `a roster that was read before something was forgotten is not kept after`() {
        var shelf = RosterShelf()
        let edition = shelf.edition(of: tenant)
        shelf.forget(tenant)
        shelf.keep(roster(2), for: .site("a"), tenant: tenant, edition: edition, until: later, membersMax: 10)
        #expect(shelf.find(.site("a"), tenant: tenant, at: Timestamp(seconds: 1)) == nil)
        let now = shelf.edition(of: tenant)
        shelf.keep(roster(2), for: .site("a"), tenant: tenant, edition: now, until: later, membersMax: 10)
        #expect(shelf.find(.site("a"), tenant: tenant, at: Timestamp(seconds: 1))?.members.count == 2)
        #expect(shelf.find(.site("a"), tenant: tenant, at: later) == nil)
    }

    @Test func `rosters hold no more devices than they may`() {
        var shelf = RosterShelf()
        func keep(_ name: String, _ count: Int) {
            shelf.keep(
                roster(count), for: .site(name), tenant: tenant, edition: shelf.edition(of: tenant), until: later,
                membersMax: 10)
        }
        func holds(_ name: String) -> Bool {
            shelf.find(.site(name), tenant: tenant, at: Timestamp(seconds: 1)) != nil
        }
        keep("a", 4)
        for _ in 0..<20 { keep("b", 4) }
        #expect(holds("a") && holds("b"))
        keep("c", 4)
        #expect(holds("c") && !holds("a") && !holds("b"))
        keep("d", 11)
        #expect(!holds("d"))
        shelf.forget(tenant)
        for name in ["e", "f"] { keep(name, 4) }
        #expect(holds("e") && holds("f"))
    }
}
