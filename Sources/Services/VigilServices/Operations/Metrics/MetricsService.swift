import Foundation
import VigilModel
package import VigilPorts

/// What a server says of itself in Prometheus' text form.
package struct MetricsService: Sendable {
    package typealias Source = @Sendable () async -> [MetricFamily]

    private let stores: Stores
    private let clock: any TimeSource
    private let readiness: Readiness
    private let started: Timestamp
    private let version: String
    private let sources: [Source]

    /// - Parameter sources: What other parts count: requests, live sockets, pools.
    package init(
        stores: Stores, clock: any TimeSource, readiness: Readiness, version: String, sources: [Source]
    ) {
        self.stores = stores
        self.clock = clock
        self.readiness = readiness
        self.version = version
        self.sources = sources
        started = clock.now()
    }

    /// All families, in the text form 0.0.4.
    ///
    /// A store that is away leaves its families out; `vigil_store_up` says which it is.
    package func text() async -> String {
        var families = process()
        families.append(await up())
        families += await series()
        families += care()
        families += await relational()
        families += pools()
        for source in sources { families += await source() }
        return families.map(\.text).joined()
    }

    private func up() async -> MetricFamily {
        var up = MetricFamily("vigil_store_up", "Whether a store does its work: 1 or 0.", .gauge)
        for state in await readiness.states() { up.add(state.state == .ok ? 1 : 0, [("store", state.store)]) }
        return up
    }

    private func process() -> [MetricFamily] {
        var build = MetricFamily("vigil_build_info", "The version, as a label; always 1.", .gauge)
        build.add(1, [("version", version)])
        var families = [
            build,
            MetricFamily(
                "process_start_time_seconds", "When the process started, in seconds since 1970.", .gauge,
                value: Double(started.microseconds) / 1e6),
        ]
        if let memory = ProcessFacts.residentBytes() {
            families.append(
                MetricFamily(
                    "process_resident_memory_bytes", "Memory that the process holds.", .gauge, value: Double(memory)))
        }
        if let seconds = ProcessFacts.processorSeconds() {
            families.append(
                MetricFamily(
                    "process_cpu_seconds_total", "Processor time of the process.", .counter, value: seconds))
        }
        if let count = ProcessFacts.openFiles() {
            families.append(
                MetricFamily("process_open_fds", "Files and sockets that are open.", .gauge, value: Double(count)))
        }
        return families
    }

    private func series() async -> [MetricFamily] {
        guard let statistics = try? await stores.series.statistics() else { return [] }
        return [
            MetricFamily("vigil_series", "Series that are stored.", .gauge, value: Double(statistics.seriesCount)),
            MetricFamily(
                "vigil_series_samples", "Samples that are stored, overwritten ones that still take space included.",
                .gauge, value: Double(statistics.sampleCount)),
            MetricFamily(
                "vigil_series_disk_bytes", "Space that readings take on disk.", .gauge,
                value: Double(statistics.diskBytes)),
            MetricFamily(
                "vigil_series_memory_bytes", "Memory that open readings take.", .gauge,
                value: Double(statistics.memoryBytes)),
        ]
    }

    /// They are there while the server is away too: that is when they are looked at.
    private func pools() -> [MetricFamily] {
        guard let pools = (stores.relational as? any PoolReporting)?.pools else { return [] }
        var connections = MetricFamily("vigil_pool_connections", "Open connections to a store's server.", .gauge)
        for pool in pools {
            connections.add(Double(pool.idle), [("pool", pool.pool), ("state", "idle")])
            connections.add(Double(pool.busy), [("pool", pool.pool), ("state", "busy")])
        }
        func family(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: (PoolFigures) -> Double
        ) -> MetricFamily {
            var family = MetricFamily("vigil_pool_" + name, help, kind)
            for pool in pools { family.add(value(pool), [("pool", pool.pool)]) }
            return family
        }
        return [
            connections,
            family("maximum", "Connections that may be open at once.", .gauge) { Double($0.maximum) },
            family("waiting", "Calls that wait for a connection.", .gauge) { Double($0.waiting) },
            family("waits_total", "Calls that had to wait for a connection.", .counter) { Double($0.waited) },
            family("wait_seconds_total", "Time that calls waited for a connection.", .counter) {
                $0.waitTime / .seconds(1)
            },
            family("timeouts_total", "Calls that waited in vain.", .counter) { Double($0.timeouts) },
            family("opened_total", "Connections that were opened.", .counter) { Double($0.opened) },
            family("failures_total", "Connections that could not be opened.", .counter) { Double($0.failures) },
            family("lost_total", "Connections that were given back broken.", .counter) { Double($0.lost) },
            family("reconnects_total", "Connections that were opened in the place of a broken one.", .counter) {
                Double($0.reconnects)
            },
        ]
    }

    /// What the series store does to keep itself in order, and what waits.
    private func care() -> [MetricFamily] {
        guard let figures = (stores.series as? any SeriesCare)?.figures() else { return [] }
        var runs = MetricFamily("vigil_series_care_runs_total", "Work on the files of readings that ended.", .counter)
        var failures = MetricFamily(
            "vigil_series_care_failures_total", "Work on the files of readings that failed.", .counter)
        var seconds = MetricFamily(
            "vigil_series_care_seconds_total", "How long work on the files of readings took.", .counter)
        var bytes = MetricFamily(
            "vigil_series_care_bytes_total", "What work on the files of readings wrote.", .counter)
        var running = MetricFamily(
            "vigil_series_care_running", "Work on the files of readings: 1 while it runs.", .gauge)
        for work in figures.works {
            let labels = [("work", work.name)]
            runs.add(Double(work.runs), labels)
            failures.add(Double(work.failures), labels)
            seconds.add(Double(work.microseconds) / 1e6, labels)
            bytes.add(Double(work.bytes), labels)
            running.add(work.isRunning ? 1 : 0, labels)
        }
        return [
            runs, failures, seconds, bytes, running,
            MetricFamily(
                "vigil_series_waiting_bytes", "Readings that wait for the disk.", .gauge,
                value: Double(figures.waitingBytes)),
            MetricFamily(
                "vigil_series_log_bytes", "Bytes of the present log of readings.", .gauge,
                value: Double(figures.logBytes)),
            MetricFamily(
                "vigil_series_chunks", "Chunks of sealed readings.", .gauge, value: Double(figures.chunks)),
            MetricFamily(
                "vigil_series_rollups", "Rollups of readings that went.", .gauge, value: Double(figures.rollups)),
        ]
    }

    private func relational() async -> [MetricFamily] {
        let scope = SystemScope.allTenants("metrics")
        let facts = try? await stores.relational.read(in: scope) { transaction in
            try RelationalFacts(transaction)
        }
        guard let facts else { return [] }
        var jobs = MetricFamily("vigil_jobs", "Jobs by state.", .gauge)
        for (state, count) in facts.jobs { jobs.add(Double(count), [("state", state)]) }
        var alerts = MetricFamily("vigil_open_alerts", "Open alerts by severity.", .gauge)
        for (severity, count) in facts.alerts { alerts.add(Double(count), [("severity", severity)]) }
        return [
            jobs, alerts,
            MetricFamily("vigil_devices", "Devices of all tenants.", .gauge, value: Double(facts.devices)),
            MetricFamily(
                "vigil_outbox_lag", "Outbox entries that are not yet published to listeners.", .gauge,
                value: Double(facts.outboxLag)),
        ]
    }
}

/// What the relational store knows of the work to be done.
private struct RelationalFacts: Sendable {
    var jobs: [(String, Int)] = []
    var alerts: [(String, Int)] = []
    var devices = 0
    var outboxLag = 0

    init(_ transaction: any SQLTransaction) throws {
        jobs = try transaction.rows("SELECT state, count(*) AS n FROM jobs GROUP BY state ORDER BY state").map {
            (try $0.get("state"), try $0.get("n"))
        }
        alerts = try transaction.rows(
            "SELECT severity, count(*) AS n FROM alerts WHERE closure = 'open' GROUP BY severity ORDER BY severity"
        ).map { (try $0.get("severity", as: Severity.self).rawValue, try $0.get("n")) }
        devices =
            try transaction.rows("SELECT count(*) AS n FROM devices WHERE deleted_at IS NULL").first?.get("n") ?? 0
        // Counted up to a bound: a lag beyond it is as bad however large it is.
        outboxLag =
            try transaction.rows(
                """
                SELECT count(*) AS n FROM (SELECT position FROM outbox WHERE position > coalesce(
                    (SELECT position FROM consumer_cursors WHERE consumer = \(Projector.consumer)), 0) LIMIT 100000) AS late
                """
            ).first?.get("n") ?? 0
    }
}

/// What the system knows of this process.
enum ProcessFacts {
    static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return pages * 4096
    }

    static func processorSeconds() -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[end...].split(separator: " ").dropFirst()
        guard fields.count > 13, let user = Double(fields[fields.startIndex + 11]),
            let system = Double(fields[fields.startIndex + 12])
        else { return nil }
        // The clock ticks of /proc are hundredths on every Linux.
        return (user + system) / 100
    }

    static func openFiles() -> Int? {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count
    }
}
