package import VigilModel
import VigilPorts

/// For batches: a name is looked up once, however many readings carry it, and what is unknown costs one transaction.
extension DeviceDirectory {
    /// Grows whenever something is forgotten: until then, a device that was found is still the same.
    package func edition(of tenant: TenantID) -> Int { forgotten[tenant, default: 0] }

    /// The devices that names mean, as far as they are known without looking into the tables.
    package func remembered(_ references: [String], tenant: TenantID) -> [KnownDevice?] {
        let now = clock.now()
        return references.map { reference in
            held[Key(tenant: tenant, reference: reference)].flatMap { $0.until > now ? $0.device : nil }
        }
    }

    /// The living devices that names mean, each name once; `nil` where there is none.
    package func find(_ references: [String], tenant: TenantID) async throws -> [KnownDevice?] {
        var result = remembered(references, tenant: tenant)
        let missing = result.indices.filter { result[$0] == nil }
        guard !missing.isEmpty else { return result }
        let mark = forgotten[tenant, default: 0]
        let names = missing.map { references[$0] }
        // Many are read side by side, on two connections.
        let half = names.count > Self.namesAtOnce ? names.count / 2 : names.count
        async let first = entries(of: names[..<half], tenant: tenant)
        async let second = entries(of: names[half...], tenant: tenant)
        let (firstEntries, secondEntries) = try await (first, second)
        let until = clock.now() + settings.lifetime
        for (number, place) in missing.enumerated() {
            guard let entry = number < half ? firstEntries[names[number]] : secondEntries[names[number]] else {
                continue
            }
            let key = Key(tenant: tenant, reference: names[number])
            result[place] = keep(entry, for: key, mark: mark, until: until)
        }
        return result
    }

    /// Names that are looked up on one connection.
    private static let namesAtOnce = 1000

    private nonisolated func entries(of names: ArraySlice<String>, tenant: TenantID) async throws
        -> [String: DeviceEntry]
    {
        guard !names.isEmpty else { return [:] }
        return try await relational.read(in: SystemScope.tenant(tenant, "device directory")) { transaction in
            try DeviceEntry.find(Array(names), tenant: tenant, in: transaction)
        }
    }

    /// A name that no device has, with what it sent for whoever decides about it.
    package struct Newcomer: Sendable {
        package let reference: String
        package let sample: JSONValue

        package init(reference: String, sample: JSONValue) {
            self.reference = reference
            self.sample = sample
        }
    }

    /// Makes newcomers discovered devices, all in one transaction; each that may not become one has its own reason.
    package func discover(_ newcomers: [Newcomer], tenant: TenantID) async throws
        -> [Result<KnownDevice, ServiceError>]
    {
        let mark = forgotten[tenant, default: 0]
        let (now, limit) = (clock.now(), settings.discoveriesMax)
        let asked = newcomers.map { newcomer -> Result<Discovery, ServiceError> in
            do throws(ServiceError) {
                try checkReference(newcomer.reference)
                return .success(
                    Discovery(
                        reference: newcomer.reference, sample: bounded(newcomer.sample), time: now, limit: limit))
            } catch {
                return .failure(error)
            }
        }
        let made = try await relational.write(in: SystemScope.tenant(tenant, "device discovery")) { transaction in
            var waiting = try Discovery.waitingCount(tenant: tenant, in: transaction)
            return try asked.map { asked -> Result<DeviceEntry, ServiceError> in
                switch asked {
                case .failure(let error): return .failure(error)
                case .success(let discovery):
                    if let entry = try DeviceEntry.find(discovery.reference, tenant: tenant, in: transaction) {
                        return .success(entry)
                    }
                    guard waiting < limit else { return .failure(Discovery.tooMany) }
                    waiting += 1
                    return .success(try discovery.make(tenant: tenant, in: transaction))
                }
            }
        }
        return zip(newcomers, made).map { newcomer, result in
            result.map { keep($0, for: Key(tenant: tenant, reference: newcomer.reference), mark: mark) }
        }
    }
}
