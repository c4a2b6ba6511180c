import Synchronization
import VigilModel

/// Counts the bytes of bodies that are being read, decoded and stored, and refuses more than fit.
final class BytesInFlight: Sendable {
    private let count = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes `bytes` in for a request that holds `held` already; a request that is alone always fits.
    ///
    /// - Throws: `unavailable` when others hold too many.
    func take(_ bytes: Int, holding held: inout Int) throws(ServiceError) {
        let total = count.add(bytes, ordering: .relaxed).newValue
        guard total <= limit || total == held + bytes else {
            count.subtract(bytes, ordering: .relaxed)
            throw ServiceError(
                .unavailable, "ingest.busy", "More bytes are on their way than fit.", retryAfter: .seconds(1))
        }
        held += bytes
    }

    func give(_ bytes: Int) { count.subtract(bytes, ordering: .relaxed) }
}
