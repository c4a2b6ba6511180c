import VigilPorts

/// Takes the records of the log that are not, or not all, part of the files.
final class SeriesRecovery {
    private let catalogue: SeriesCatalogue
    private let memory: SeriesMemory
    private let store: ChunkStore
    private let rollups: RollupStore
    /// Chunks whose group is defined in the log only: the crash came before the catalogue was saved.
    private var orphans: [UInt32: [ChunkReference]]
    private let sealedMax: Int64

    init(
        catalogue: SeriesCatalogue, memory: SeriesMemory, store: ChunkStore, rollups: RollupStore,
        orphans: [ChunkReference]
    ) {
        self.rollups = rollups
        self.catalogue = catalogue
        self.memory = memory
        self.store = store
        self.orphans = Dictionary(grouping: orphans, by: \.group)
        sealedMax = store.sealedMax
    }

    func take(_ kind: RecordKind, _ position: Int64, _ payload: UnsafeRawBufferPointer) throws(StoreError) {
        switch kind {
        case .group, .definitions:
            let last = catalogue.counted.group
            try catalogue.recover(kind, payload)
            for number in last..<max(last, catalogue.counted.group) {
                guard let group = catalogue.group(number + 1), let own = orphans.removeValue(forKey: number + 1)
                else { continue }
                memory.replace([], by: own, of: group)
            }
        case .series, .layout: try catalogue.recover(kind, payload)
        case .batch:
            let store = store
            // A file that was sealed past this record holds its readings already.
            let keeps: ((Int64) -> Bool)? = position > sealedMax ? nil : { store.sealed(for: $0) < position }
            let isWhole = memory.append(payload, keeps: keeps) { [catalogue] in catalogue.layout($1) }
            guard isWhole else {
                throw StoreError(
                    .damaged, "a record of the series log names what is not defined",
                    details: ["position": String(position)])
            }
        case .delete, .deleteTenant:
            let removal = Self.removeOpenRows(kind, payload, catalogue, memory)
            guard let removal else { return }
            let archived = SeriesEngine.archived(removal.entries, memory)
            try SeriesEngine.removeFromChunks(
                removal.entries, from: removal.start, to: removal.end, store, memory, unlessSealed: position)
            try SeriesEngine.removeFromRollups(
                removal.entries, from: removal.start, to: removal.end, rollups, memory, archived: archived)
        case .mark: break
        }
    }

    /// Chunks whose group no catalogue and no log defines: their readings have no names.
    var nameless: [StoreError] {
        Set(orphans.values.flatMap { $0.map(\.file.name) }).sorted().map { name in
            StoreError(.damaged, "readings of a file are in no series catalogue", details: ["file": name])
        }
    }

    struct Removal {
        let entries: [SeriesEntry]
        let start: Int64
        let end: Int64
    }

    /// Removes from the rows that are not in chunks.
    @discardableResult
    static func removeOpenRows(
        _ kind: RecordKind, _ payload: UnsafeRawBufferPointer, _ catalogue: SeriesCatalogue, _ memory: SeriesMemory
    ) -> Removal? {
        let result: Removal
        switch RemovalRecord.read(kind, payload) {
        case .series(let numbers, let start, let end)?:
            result = Removal(entries: catalogue.entries(numbers), start: start, end: end)
        case .tenant(let tenant)?:
            let entries = catalogue.groups(of: tenant).flatMap { catalogue.series(of: $0) }
            result = Removal(entries: entries, start: .min, end: .max)
        case nil: return nil
        }
        memory.delete(result.entries, from: result.start, to: result.end)
        return result
    }
}
