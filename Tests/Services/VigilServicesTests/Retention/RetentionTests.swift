import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What is kept, and for how long, on a clock that is moved by hand.
@Suite struct RetentionTests {
    private func service(_ world: World, _ settings: RetentionSettings = RetentionSettings()) -> RetentionService {
        RetentionService(stores: world.stores, clock: world.clock, settings: settings)
    }

    private func count(_ world: World, _ table: String, where condition: SQL = "TRUE") async throws -> Int {
        try await world.stores.relational.read(in: SystemScope.allTenants("test")) { transaction in
            try transaction.rows("SELECT COUNT(*) AS n FROM \(SQL(unchecked: table)) WHERE \(condition)").first?
                .get("n") ?? 0
        }
    }

    /// Writes audit entries, one a day, the first now.
    private func writeTrail(_ world: World, days: Int) async throws {
        let (tenant, now) = (world.tenant, world.clock.now())
        try await world.stores.relational.write(in: world.scope) { transaction in
            for day in 0..<days {
                try AuditTrail.record(
                    AuditRecord(
                        by: .system("test"), tenant: tenant, "look", "door", "\(day)", at: now + .days(Int64(day))),
                    in: transaction)
            }
        }
    }

    @Test func `what is past its last bound goes, and nothing younger`() async throws {
        try await withWorld { world in
            let retention = service(world)
            _ = try await retention.createRule(
                RetentionRuleForm(.audit, hot: "1d", warm: "3d", archive: "10d"), by: world.principal)
            try await writeTrail(world, days: 20)
            world.clock.move(.days(20))
            let looks: SQL = "action = 'look'"
            let preview = try await retention.preview(by: world.principal)
            #expect(preview.items.first { $0.subject == .audit }?.count == 11, "ten, and the rule's own entry")
            #expect(preview.items.first { $0.subject == .audit }?.oldest == World.start)
            #expect(try await count(world, "audit_entries", where: looks) == 20, "a preview changes nothing")
            let report = try await retention.sweep()
            #expect(report.items.first { $0.subject == .audit }?.count == 11)
            #expect(try await count(world, "audit_entries", where: looks) == 10)
            #expect(try await count(world, "audit_entries", where: "action = 'expire'") == 1)
            #expect(try await retention.sweep().items.isEmpty, "a second turn finds nothing")
        }
    }

    @Test func `a legal hold stops it, whatever other rules say, until it is lifted`() async throws {
        try await withWorld { world in
            let retention = service(world)
            _ = try await retention.createRule(RetentionRuleForm(.audit, hot: "1d"), by: world.principal)
            var form = RetentionRuleForm(.audit)
            form.legalHold = true
            form.reason = "the court asks"
            let hold = try await retention.createRule(form, by: world.principal)
            try await writeTrail(world, days: 3)
            world.clock.move(.days(30))
            #expect(
                try await retention.preview(by: world.principal).items.first { $0.subject == .audit }?.isHeld == true)
            _ = try await retention.sweep()
            #expect(try await count(world, "audit_entries", where: "action = 'look'") == 3)
            try await retention.deleteRule(hold.id, version: nil, by: world.principal)
            _ = try await retention.sweep()
            #expect(try await count(world, "audit_entries", where: "action = 'look'") == 0)
        }
    }

    @Test func `readings with a legal hold are not removed by hand either`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await world.send(#"{"metric": "temperature", "value": 20}"#, to: "t")
            let care = SeriesCareService(stores: world.stores, clock: world.clock)
            var form = RetentionRuleForm(.reading, metric: "temp*")
            form.legalHold = true
            let hold = try await service(world).createRule(form, by: world.principal)
            let all = SeriesSelection([.metric("temperature")])
            for isDryRun in [true, false] {
                await #expect { try await care.delete(all, isDryRun: isDryRun, by: world.principal) } throws: {
                    ($0 as? ServiceError)?.code == "retention.held"
                }
            }
            try await service(world).deleteRule(hold.id, version: nil, by: world.principal)
            #expect(try await care.delete(all, isDryRun: false, by: world.principal).samples == 1)
        }
    }

    @Test func `a rule says how long aggregates outlive readings`() async throws {
        try await withWorld { world in
            let retention = service(world)
            let rollups = RollupAges(minute: "30d", hour: "1y", day: "forever")
            let form = RetentionRuleForm(.reading, metric: "flow", hot: "7d", rollups: rollups)
            let rule = try await retention.createRule(form, by: world.principal)
            #expect(try await retention.rule(rule.id, by: world.principal).rollups == rollups)
            let decision = RetentionTable([rule]).decision(metric: "flow", site: nil, profile: nil)
            #expect(decision.rollups == RollupBounds(minute: .age(.days(30)), hour: .age(.days(365)), day: .forever))
            let wrong = RetentionRuleForm(.reading, metric: "b", hot: "7d", rollups: RollupAges(day: "soon"))
            await #expect(throws: ServiceError.self) { try await retention.createRule(wrong, by: world.principal) }
            let trail = RetentionRuleForm(.audit, hot: "7d", rollups: rollups)
            await #expect(throws: ServiceError.self) { try await retention.createRule(trail, by: world.principal) }
        }
    }

    @Test func `a turn takes bounded steps, and the next goes on`() async throws {
        try await withWorld { world in
            var settings = RetentionSettings()
            (settings.stepRows, settings.stepsMax) = (3, 2)
            let retention = service(world, settings)
            _ = try await retention.createRule(RetentionRuleForm(.audit, hot: "1d"), by: world.principal)
            try await writeTrail(world, days: 10)
            world.clock.move(.days(40))
            let first = try await retention.sweep().items.first { $0.subject == .audit }
            #expect(first?.count == 6)
            #expect(first?.isMore == true)
            _ = try await retention.sweep()
            #expect(try await count(world, "audit_entries", where: "action = 'look'") == 0)
        }
    }

    @Test func `an outbox entry goes only when every consumer has read it`() async throws {
        try await withWorld { world in
            let (retention, now, tenant) = (service(world), world.clock.now(), world.tenant)
            try await world.stores.relational.write(in: world.scope) { transaction in
                for index in 0..<6 {
                    try transaction.appendToOutbox(
                        OutboxMessage(
                            tenant: tenant, type: "a.b", aggregate: "a", aggregateID: "\(index)", data: .null, time: now
                        ))
                }
            }
            let positions = try await world.outbox(6).map(\.position.rawValue)
            func read(_ consumer: String, _ position: Int64) async throws {
                try await world.stores.relational.write(in: SystemScope.allTenants("test")) { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO consumer_cursors (consumer, position, updated)
                        VALUES (\(consumer), \(position), \(now))
                        ON CONFLICT (consumer) DO UPDATE SET position = excluded.position
                        """)
                }
            }
            // Where readiness tries to write is no consumer, though its line is among theirs.
            try await read("ready", 0)
            world.clock.move(.days(8))
            _ = try await retention.sweep()
            #expect(try await count(world, "outbox") == 6, "nobody has read anything")
            try await read(Projector.consumer, positions[5])
            _ = try await retention.sweep()
            #expect(try await count(world, "outbox") == 6, "one of two has read nothing")
            try await read(SearchProjection.consumer, positions[2])
            _ = try await retention.sweep()
            #expect(try await count(world, "outbox") == 4, "the entry at a consumer's position stays")
        }
    }

    @Test func `jobs that are done, the ingest log, kept answers and log lines go by what Vigil brings`() async throws {
        try await withWorld { world in
            let (retention, now, tenant) = (service(world), world.clock.now(), world.tenant)
            let done = try await world.stores.jobs.enqueue(JobDraft(tenant: tenant, kind: "k", payload: .null))
            for job in try await world.stores.jobs.take(["k"], limit: 1, lease: .minutes(1)) {
                try await world.stores.jobs.complete(job, result: .null)
            }
            _ = try await world.stores.jobs.enqueue(JobDraft(tenant: tenant, kind: "later", payload: .null))
            try await world.device("t")
            try await world.send(#"{"metric": "temperature", "value": 20}"#, to: "t")
            let keys = IdempotencyService(
                stores: world.stores, clock: world.clock, box: SecretBox(MasterKey.random().derive("test")))
            _ = try await keys.claim("key", bodyHash: "h", in: world.scope)
            try await world.stores.relational.write(in: SystemScope.allTenants("test")) { transaction in
                try transaction.execute(
                    """
                    INSERT INTO application_logs (id, time, level, label, message, metadata)
                    VALUES (\(EntryID(at: now)), \(now), 2, 'l', 'm', '{}')
                    """)
            }
            world.clock.move(.days(6))
            _ = try await retention.sweep()
            #expect(try await count(world, "jobs") == 2)
            #expect(try await count(world, "ingest_log") == 1)
            #expect(try await count(world, "idempotency_keys") == 0)
            world.clock.move(.days(2))
            _ = try await retention.sweep()
            #expect(try await count(world, "jobs") == 1)
            #expect(try await count(world, "jobs", where: "id = \(done)") == 0)
            #expect(try await count(world, "ingest_log") == 0)
            #expect(try await count(world, "application_logs") == 1)
            world.clock.move(.days(8))
            _ = try await retention.sweep()
            #expect(try await count(world, "application_logs") == 0)
        }
    }

    @Test func `the journal keeps what is not evaluated`() async throws {
        try await withWorld { world in
            let retention = service(world)
            try await world.device("t")
            try await world.send(#"{"metric": "temperature", "value": 20}"#, to: "t")
            world.clock.move(.hours(1))
            try await world.send(#"{"metric": "temperature", "value": 21}"#, to: "t")
            let (tenant, until) = (world.tenant, World.start + .minutes(30))
            // As if the crash had come before the second batch was evaluated.
            try await world.stores.relational.write(in: world.scope) { transaction in
                try transaction.execute(
                    """
                    UPDATE ingest_progress SET evaluated_through = \(until.microseconds) WHERE tenant_id = \(tenant)
                    """)
            }
            world.clock.move(.days(3))
            func entries() async throws -> Int {
                let cursor = try await world.stores.series.samples(
                    SeriesSelection([.metric("__journal")]), in: world.scope)
                return try await cursor.next()?.samples.count ?? 0
            }
            _ = try await retention.sweep()
            #expect(try await entries() == 2)
            let now = world.clock.now()
            try await world.stores.relational.write(in: world.scope) { transaction in
                try transaction.execute(
                    "UPDATE ingest_progress SET evaluated_through = \(now.microseconds) WHERE tenant_id = \(tenant)")
            }
            _ = try await retention.sweep()
            #expect(try await entries() == 0)
        }
    }

    @Test func `readings go by the rule of their metric and site, and a preview says so before`() async throws {
        try await withWorld { world in
            let retention = service(world)
            _ = try await retention.createRule(
                RetentionRuleForm(.reading, metric: "temp*", hot: "7d"), by: world.principal)
            try await world.device("t")
            try await world.send(#"{"metric": "temperature", "value": 20}"#, to: "t")
            try await world.send(#"{"metric": "humidity", "value": 50}"#, to: "t")
            world.clock.move(.days(9))
            let preview = try await retention.preview(by: world.principal).items.filter { $0.subject == .reading }
            #expect(preview.contains { $0.fate == "goes" && $0.count >= 1 })
            _ = try await retention.sweep()
            let left = try await world.stores.series.series(SeriesSelection([]), in: world.scope).map(\.metric)
            #expect(left.contains("humidity"))
            #expect(!left.contains("temperature"))
        }
    }

    @Test func `the most specific rule wins`() async throws {
        let site = SiteID(high: 1, low: 2)
        let profile = ProfileID(high: 1, low: 3)
        func rule(_ hot: String, site: SiteID? = nil, profile: ProfileID? = nil, metric: String? = nil) -> RetentionRule
        {
            RetentionRule(
                id: EntryID(at: World.start), subject: .reading, site: site, profile: profile, metric: metric, hot: hot,
                createdAt: World.start, updatedAt: World.start)
        }
        let table = RetentionTable([
            rule("1d"), rule("2d", site: site), rule("3d", profile: profile), rule("4d", site: site, profile: profile),
            rule("5d", metric: "*flow*"), rule("6d", metric: "dma_flow*"), rule("7d", metric: "dma_flow_rate"),
        ])
        func life(_ metric: String, _ site: SiteID?, _ profile: ProfileID?) -> Int64? {
            table.decision(metric: metric, site: site, profile: profile).bounds.life.map {
                $0.microseconds / 86_400_000_000
            }
        }
        #expect(life("a", nil, nil) == 1)
        #expect(life("a", site, nil) == 2)
        #expect(life("a", site, profile) == 4)
        #expect(life("a", nil, profile) == 3)
        #expect(life("flow", site, profile) == 5)
        #expect(life("dma_flow", site, profile) == 6)
        #expect(life("dma_flow_rate", nil, nil) == 7)
    }

    @Test(arguments: [
        ("a", "a", true), ("a", "*", true), ("", "*", true), ("abc", "a*c", true), ("abd", "a*c", false),
        ("aXbXc", "a*X*c", true), ("flow", "*flow*", true), ("aab", "*ab", true), ("ab", "a", false),
    ])
    func `a star stands for any text`(_ text: String, _ pattern: String, _ expected: Bool) {
        let rule = RetentionRule(
            id: EntryID(at: World.start), subject: .reading, metric: pattern, hot: "1d", createdAt: World.start,
            updatedAt: World.start)
        let decision = RetentionTable([rule]).decision(metric: text, site: nil, profile: nil)
        #expect((decision.rule == rule.id) == expected)
    }

    @Test(
        arguments: [
            ("7d", "7d"), ("2w", "14d"), ("5y", "5y"), ("365d", "1y"), ("36h", "36h"), ("24h", "1d"),
            ("forever", "forever"),
            ("0d", nil), ("-1d", nil), ("d", nil), ("7", nil), ("7m", nil), ("9999y", nil), ("", nil), ("١d", nil),
        ] as [(String, String?)])
    func `a bound is an age`(_ text: String, _ expected: String?) {
        #expect(RetentionBound(text)?.description == expected)
    }

    @Test func `the preset of the water reference is the table of its page, and comes once`() async throws {
        try await withWorld { world in
            let retention = service(world)
            let made = try await retention.apply(.waris, by: world.principal)
            #expect(made.count == 6)
            #expect(try await retention.apply(.waris, by: world.principal).isEmpty)
            let rules = try await retention.rules(by: world.principal)
            #expect(rules.filter { $0.subject == .reading }.count == 3)
            let flow = RetentionTable(rules).decision(metric: "dma_flow", site: nil, profile: nil).bounds
            #expect(flow.tier(atAge: .days(7)) == .hot)
            #expect(flow.tier(atAge: .days(8)) == .warm)
            #expect(flow.tier(atAge: .days(31)) == .archive)
            #expect(flow.tier(atAge: .days(5 * 365 + 1)) == .expired)
            let report = RetentionTable(rules).decision(.report).bounds
            #expect(report.life == nil)
            #expect(report.tier(atAge: .days(10_000)) == .archive)
            #expect(try await count(world, "audit_entries", where: "resource = 'retention'") == 6)
        }
    }

    @Test func `a rule that cannot be meant is refused, and a stale one too`() async throws {
        try await withWorld { world in
            let retention = service(world)
            let wrong: [(RetentionRuleForm, String)] = [
                (RetentionRuleForm(.reading), "request.field"),
                (RetentionRuleForm(.reading, hot: "soon"), "request.field"),
                (RetentionRuleForm(.reading, hot: "7d", warm: "7d"), "retention.order"),
                (RetentionRuleForm(.reading, hot: "forever", archive: "5y"), "retention.order"),
                (RetentionRuleForm(.audit, metric: "a", hot: "7d"), "request.field"),
                (RetentionRuleForm(.idempotency, hot: "7d"), "retention.fixed"),
            ]
            for (form, code) in wrong {
                await #expect { try await retention.createRule(form, by: world.principal) } throws: {
                    ($0 as? ServiceError)?.code == code
                }
            }
            let rule = try await retention.createRule(RetentionRuleForm(.reading, hot: "7d"), by: world.principal)
            await #expect {
                try await retention.createRule(RetentionRuleForm(.reading, hot: "9d"), by: world.principal)
            } throws: { ($0 as? ServiceError)?.code == "retention.duplicate" }
            let changed = try await retention.changeRule(
                rule.id, to: RetentionRuleForm(.reading, hot: "9d"), version: 1, by: world.principal)
            #expect(changed.version == 2)
            await #expect { try await retention.deleteRule(rule.id, version: 1, by: world.principal) } throws: {
                ($0 as? ServiceError)?.kind == .stale
            }
        }
    }
}
