import VigilModel
import VigilPorts

extension DeviceDirectory {
    /// Writes sightings and listens for changes that other processes make, until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.listen() }
            group.addTask { try await self.flushForever() }
            try await group.waitForAll()
        }
    }

    /// Writes the counted sightings of discovered devices.
    package func flush() async throws {
        let noted = sightings
        sightings = [:]
        for (tenant, devices) in noted {
            do {
                try await relational.write(in: SystemScope.tenant(tenant, "device discovery")) { transaction in
                    for (device, seen) in devices {
                        try transaction.execute(
                            """
                            UPDATE discoveries SET sightings = sightings + \(seen.count),
                                last_seen = CASE WHEN last_seen < \(seen.last) THEN \(seen.last) ELSE last_seen END
                            WHERE tenant_id = \(tenant) AND device_id = \(device)
                            """)
                    }
                }
            } catch let error as StoreError where error.mayBeTriedAgain {
                for (device, seen) in devices { noteSightings(seen.count, of: device, tenant: tenant, at: seen.last) }
            }
        }
    }

    /// The topic on which changes of a tenant's devices are told; the payload is a device, or nothing for all.
    static func topic(_ tenant: TenantID) -> String { "registry.\(tenant)" }

    private func flushForever() async throws {
        while true {
            try await clock.wait(for: settings.flushInterval)
            try await flush()
        }
    }

    private func listen() async throws {
        while !Task.isCancelled {
            for await message in try await bus.subscribe("registry.*", buffer: 1024) {
                guard let tenant = TenantID(String(message.topic.dropFirst("registry.".count))) else { continue }
                forget(DeviceID(String(decoding: message.payload, as: UTF8.self)), tenant: tenant)
            }
            // The stream ended because we were slow: what was missed is unknown, so nothing is believed any more.
            for tenant in Set(held.keys.map(\.tenant) + rosters.tenants) { forget(nil, tenant: tenant) }
        }
        try Task.checkCancellation()
    }
}
