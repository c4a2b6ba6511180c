import VigilModel
import VigilPorts

extension IngestService {
    /// Stores rows and has them judged.
    func store(
        _ prepared: PreparedRows, refusals: Refusals, form: String, arrival: Timestamp, principal: Principal,
        tenant: TenantID
    ) async throws -> IngestReceipt {
        try await tenants.admit(prepared.accepted)
        do {
            try await tenants.ingest(of: tenant).spend(prepared.accepted)
        } catch {
            await tenants.release(prepared.accepted)
            throw error
        }
        do {
            let receipt = try await append(
                prepared, refusals: refusals, form: form, arrival: arrival, principal: principal, tenant: tenant)
            await tenants.release(prepared.accepted)
            return receipt
        } catch {
            await tenants.release(prepared.accepted)
            throw error
        }
    }

    /// Devices of a batch from which on their conditions are looked up beside its way to the disk.
    private static let devicesPrepared = 256

    private func append(
        _ prepared: PreparedRows, refusals: Refusals, form: String, arrival: Timestamp, principal: Principal,
        tenant: TenantID
    ) async throws -> IngestReceipt {
        let ingest = await tenants.ingest(of: tenant)
        let (number, waiting) = try await ingest.begin()
        await resume(waiting, ingest: ingest)
        let heard = await ingest.heard(prepared)
        let entry = JournalEntry(
            number: number, arrival: arrival, sender: principal.name, form: form, accepted: prepared.accepted,
            refusals: refusals, devices: heard.map(\.device), extents: prepared.extents)
        // JSON carries its arrival beside the object as sent.
        let isJSON = form == "json" || form == "steam"
        let arrivals = isJSON ? nil : BatchArrival.table(of: prepared, number: number, arrival: arrival)
        let batch = ReadingBatch(
            tables: [entry.table()] + (arrivals.map { [$0] } ?? []), rows: prepared.rows, arrival: arrival)
        do {
            // Conditions of many devices are looked up while the batch goes to the disk.
            async let prepares: Void? =
                heard.count < Self.devicesPrepared ? nil : alerting.prepare(prepared.parts, tenant: tenant)
            _ = try await stores.series.append(batch, in: SystemScope.tenant(tenant, "ingest"))
            _ = await prepares
        } catch {
            await ingest.abandon(number)
            throw error
        }
        let work = EvaluationWork(prepared: prepared, currentFrom: arrival - alerting.settings.lateness)
        var processed = true
        do {
            try await evaluate(work, entry: entry, heard: heard, ingest: ingest)
        } catch {
            // It is durable: the sender need not send it again, and `run` judges it later.
            await ingest.postpone(number)
            processed = false
        }
        await fields?.note(prepared, tenant: tenant)
        await noteSightings(prepared, tenant: tenant, at: arrival)
        await publish(prepared, ingest: ingest, at: arrival)
        return IngestReceipt(
            accepted: prepared.accepted, readings: prepared.rows.rows.count, refused: refusals.count,
            refusals: refusals.first, processed: processed)
    }

    /// Counts what came from devices that nobody has claimed.
    private func noteSightings(_ prepared: PreparedRows, tenant: TenantID, at arrival: Timestamp) async {
        var counts: [DeviceID: Int] = [:]
        for (part, extent) in zip(prepared.parts, prepared.extents) where extent.rowCount > 0 {
            guard part.isDiscovered, let device = part.deviceID else { continue }
            counts[device, default: 0] += extent.rowCount
        }
        for (device, count) in counts {
            await directory.noteSightings(count, of: device, tenant: tenant, at: arrival)
        }
    }

    /// Tells who listens what is new: one message for each device, at most five a second.
    private func publish(_ prepared: PreparedRows, ingest: TenantIngest, at now: Timestamp) async {
        guard audience?.isListening ?? true else { return }
        var messages: [Int: LiveReadings] = [:]
        for place in await ingest.dueLive(prepared, at: now) {
            let part = prepared.parts[place]
            guard let device = part.device?.entry else { continue }
            messages[part.deviceNumber, default: LiveReadings(device)].add(place, of: prepared)
        }
        for message in messages.values {
            // A lost live message is no loss: pages read the latest values again.
            try? await stores.bus.publish(
                BusMessage(topic: "readings.\(ingest.tenant)", payload: message.finished()))
        }
    }
}
