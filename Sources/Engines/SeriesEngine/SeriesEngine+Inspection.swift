package import VigilPorts

extension SeriesEngine: StoreInspecting {
    package var knownDamage: StoreError? {
        damage.first ?? store.chunkFiles.lazy.compactMap(\.knownDamage).first
    }

    package var remarks: [StoreFact] {
        let known = cataloguePair.repairs
        let aside = CataloguePair.asideNames((try? files.names()) ?? []).filter { name in
            !known.contains { $0.value.contains(" as \(name);") }
        }
        return known
            + aside.map {
                StoreFact("series", $0, "a damaged file that was put aside; remove it when nobody needs it", .warning)
            }
    }

    package func inspection() async throws -> [StoreFact] {
        let statistics = try await statistics()
        var facts = [
            StoreFact("series", "engine", "embedded"),
            StoreFact("series", "series", "\(statistics.seriesCount)"),
            StoreFact("series", "samples", "\(statistics.sampleCount)"),
            StoreFact("series", "size", "\(statistics.diskBytes) bytes"),
        ]
        facts += remarks
        for error in damage {
            facts.append(StoreFact("series", error.details["file"] ?? "log", "\(error)", .problem))
        }
        for (name, file) in cataloguePair.files {
            do {
                let pages = try file.scan()
                facts.append(StoreFact("series", name, "\(pages) pages, all with their checksums"))
            } catch {
                facts.append(StoreFact("series", name, "\(error)", .problem))
            }
        }
        for file in store.chunkFiles {
            do {
                let pages = try file.scan()
                facts.append(StoreFact("series", file.name, "\(pages) pages, all with their checksums"))
            } catch {
                facts.append(StoreFact("series", file.name, "\(error)", .problem))
            }
        }
        return facts
    }
}
