import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Whole database files as earlier versions wrote them: a start moves them on, and nothing is lost.
@Suite struct GoldenDatabaseTests {
    private static let place = ChunkPlace(bounds: .forever, period: 0)
    /// Every second of fifty minutes that lie in two hours: dense enough for rollups by the hour.
    private static let times = (0..<3000).map { 3_000_000_000 + Int64($0) * 1_000_000 }
    private static let columns: [(series: UInt32, samples: RawSeries)] = ([2, 5] as [UInt32]).map { series in
        var samples = RawSeries()
        for (index, time) in times.enumerated() {
            let value = 20 + Double(index / 10 * Int(series) % 17) / 10
            samples.samples.append(
                RawSample(time: time, bits: value.bitPattern, order: 0, kind: 0, quality: 100))
        }
        return (series, samples)
    }

    private static func write(_ text: String, count: Int, to path: String) throws {
        let bytes = try #require(Data(base64Encoded: text))
        try Data(Zstandard.decompressed([UInt8](bytes)[...], count: count)).write(to: URL(fileURLWithPath: path))
    }

    private static func folder() throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        return folder
    }

    /// `user_version`, which SQLite keeps in the bytes 60 to 63 of a file.
    private static func version(_ path: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: path))[60..<64].reduce(0) { $0 << 8 | Int($1) }
    }

    @Test func `a file of chunks of version 3 is read with its rollups, and is of version 5 afterwards`() throws {
        let folder = try Self.folder()
        let name = FileNames.chunks(Self.place)
        try Self.write(Self.chunks, count: Self.chunksLength, to: folder.path + "/" + name)
        for round in 0..<2 {
            let file = try ChunkFile(
                folder: folder.path, name: name, place: Self.place, ChunkPlacement(standardLength: 30 * 86_400_000_000),
                tier: .hot, cacheBytes: 1 << 20)
            #expect(file.sealed == 41)
            let references = try file.references().sorted { $0.id < $1.id }
            #expect(references.map(\.id) == [7, 8] && references.map(\.generation) == [3, 4], "round \(round)")
            #expect(references.map(\.rollups) == [RollupSet(.hour), RollupSet(.hour)])
            for (reference, column) in zip(references, Self.columns) {
                let samples = try #require(try file.samples(of: reference.id)?[column.series])
                #expect(GoldenFileTests.values(samples) == GoldenFileTests.values(column.samples))
                let found = try #require(try file.rollup(of: reference.id, .hour)?.buckets(column.series))
                #expect(found == Rollup.buckets(NumberColumn(column.samples), .hour))
            }
            _ = try file.scan()
            file.close()
            #expect(try Self.version(folder.path + "/" + name) == 5)
        }
    }

    @Test func `a file of rollups of version 1 is read without quantiles, and is of version 3 afterwards`() throws {
        let folder = try Self.folder()
        let path = folder.path + "/" + FileNames.rollups(0)
        try Self.write(Self.rollups, count: Self.rollupsLength, to: path)
        let file = try RollupFile(folder: folder.path, period: 0, cacheBytes: 1 << 20)
        let reference = try #require(try file.references().first)
        let all = try reference.all()
        for (series, samples) in Self.columns {
            let wanted = Rollup.buckets(NumberColumn(samples), .minute)
            #expect(all[series]?.map(\.known) == wanted)
            #expect(all[series]?.allSatisfy { $0.sketch == nil } == true)
            // What is known of other readings of the bucket does not help.
            let other = RollupBucket(known: wanted[0], sketch: QuantileSketch([wanted[0].first]))
            #expect(all[series]?[0].joined(other).sketch == nil)
            var kept = KeptNumbers()
            kept.add(try #require(all[series]?[0]))
            let quantiles = kept.quantiles([0.5], with: [1, 2])
            #expect(quantiles.count == 1 && quantiles[0].isNaN)
        }
        #expect(try file.leaving() == ["chunks-0.db": [7]])
        file.close()
        #expect(try Self.version(path) == 3)
    }

    @Test func `a catalogue of version 1 is read, put together, and is of version 2 afterwards`() throws {
        let folder = try Self.folder()
        let path = folder.path + "/" + FileNames.catalogue
        try Self.write(Self.catalogue, count: Self.catalogueLength, to: path)
        for isPacked in [false, true] {
            let (file, catalogue) = (try CatalogueFile(folder: folder.path), SeriesCatalogue())
            let sealed = try file.load { (kind, payload) throws(StoreError) in try catalogue.recover(kind, payload) }
            #expect(sealed == 13)
            let group = try #require(catalogue.group(1))
            #expect(group.labels.all.map { "\($0.name)=\($0.value)" } == ["device=d0", "kind=boiler", "site=s0"])
            #expect(catalogue.series(of: group).count == 10)
            #expect(catalogue.series(of: group).contains { $0.metric == "estate_temperature" })
            #expect(catalogue.layout(1)?.columns.count == 10)
            let extent = try file.extent()
            #expect(extent.definitions == 12 && extent.sealed == 13)
            #expect(try file.looseCount() == (isPacked ? 0 : 12))
            try file.pack(upTo: catalogue.counted)
            file.close()
            #expect(try Self.version(path) == 2)
        }
    }

    private static let catalogueLength = 16384
    private static let catalogue = """
        KLUv/WAAP5USADYcaTsQdXWgQ3ACgCGIgsBYQwYAH0TygXUc9SlptuTYYxZdeZdOGcMHE0TNGmDPBtSO4BuH9Vi3BkTrLyFSylYAXQBZACqSBHFt\
        8+Xa5Zgxmq7WRlfOssHU3iPJWpl7NFdjecGtLO985bFHP4WdHeIlo1AEnn6oyYg4KDzllAWsceY2zGGMNcZ4b4uS1jgAN+x+qi0b29856fERRCIm\
        EjPoQrLz0qGlJRljjPNJjE/Nw4jJ7N/0nG2VOTKae03t7eyvStTywACBl1OMlsir3CbIS8NsiWyVedEqzY+tACqkNsm4sUnKFUer7GC9SNZ2v9Ng\
        7cPUd90BK2dl/V3x+zQL5b6bvrKT5+kKhFc5e8rOUL6f3f2Q47RFztwGv5JH6rhNgxtZ+3IXGzoVhTNhTqiGQGGISIYOYhcDRBoRD51MoNGPieIo\
        wcHmhH56vpsLNjA3MD04nVAHD4P+zl2u/ZSzMI5BfwqfPbphL2eM2vd1p+t+K9O6hU1jAF2nIwxonaNcfVe27du3n+3L1O8CWWt8mUt49O28nykI\
        0lTaX59EMpVKeuKgB00g0EiIiLKMARvoAdsRoAcTAAS4J9jpzi5JLC5b226XAc0eDwexrzNSAg48ThyezZKyyjcDRN9kM4sgmDsZKcC9bzIyAmZf\
        ZQQRqAVClBmZnQXz7Zm9ssinzFIWyndoMNgebiNc+E6AWRMIPPwSOEelAl7OvPgatxqMOJvUON2DKRbAi9w9B9GO9wkjoGr4WAaKl7gDxNZW9WzT\
        ZdK3OGgSFOodMwQyzc3mng==
        """

    // Whole files behind zstd: made with the schemas of those versions, and what Rollup.encode and its like wrote then.

    private static let chunksLength = 24576
    private static let chunks = """
        KLUv/WAAXx0dAPYywEmAnHEO9F//awQWq2aqy53CPyuN/fsA/tGXCEcatdfI+3peDo/cZtGhIA2Wr8kiIY0Jh89QkNvm0C3oiJAG2q9RNtYD\
        jlETITKlpgCqALEArXubHwjIhpYjMPBA+H6b9eBLYnkgdgP2Au/HdthCqZALxG0RuwxbxM9IA++34ci3Hu2mN2ahxDQExk7BYdNL3A3W1UNv\
        s77e/u2QdmyPt13g3nunuL1365ERu3es0e53AabCKRgcEt+gUhtLKP7tZkPNodm5yGDMyMyiVOciM91d9ktDrkt3f3eHuenup8PcXbv73rqY\
        1k7z3I5bIXEI7zcGrhw6BF/O0CTd0w8YhuGYpvNhy+VyuSJaSfUoFrlEPs7dbVq6CMfj8Xjc4Xpas4rRRq4RKX7JNq3zzZ75dxwWQ3rVIqq/\
        qnZ3GdYLxMUAE85RyH2D7dv0tzJdo/oa9d09XVdABcjSuuHl3z/3FqRU4xAGTsF2BRtix+5X2DK9wrKNX2Ebv8IKH2yJL9N74l0iOg2bTBbE\
        Ybz0EoEDin/ggA3VQTNut3Hrnm3cum0cYWZKqoeZaXdP2aQ5EWDLDF+JKJ6nMecpRPtP6kJx9ZbiylEDrsp81C/gpTGE/5lu2bZq/kTuEFy7\
        FHp1rPiUtCiY3UQ3/LiWMkOVQ8raCVCRj58J3MfnEaSlMcl9iROZoEOEBKeN1BRoK9TfgfsDP99byNCpTettQCEdkQShWPfsZqz3Qa1S/QOT\
        OjqiFFiViNE9CfFxxMGsBU0HNQXDMAyk6ShfJXrFK0fRmkwmk1Z0MJIsAEBjQRA32l/Mc2a8AaPjTJWXuaqwjskurCkXdHhsiWETZ+vLy2Nu\
        dGEdk11ZphSvhyLLzDKH/p/1XzmHeHO6rF80GlT8P39m7S9mOTui3HTBUeZlrhpTrppMcX1pWs39r3pMUKP9d9zNKVb/BI12T71Euv/pOCqz\
        7IE0S+P7ox77yjJSR4BXEChZ9xzJQsK3P48TMO4gNUy/v6nj84eSVPFQkUJ7dCwt/p+wOT0gkAIhGTPWjAGXEgJcMM+12MSI5uh7kZwdC7dK\
        LlsA5PcDYRYT9Fj/D+Ho18MMgJiYhYSpiYy3MYgp0sNfQ+UEeZG++olv1A9/PTLsFn9fvGsHcQJU5BELcmRxd7k3wQZitAhtHhZBN4hcVJ0H\
        aDQPSgJWkJdqHnrgWwIc+MBuAEpGefGOZl+PkbzWNbqBSM/RUOPAbDW/AcB2R1yylSc=
        """

    private static let rollupsLength = 16384
    private static let rollups = """
        KLUv/WAAP30gANY53khgmFZj/IN3rLDd/ltyNQQBCO/TSoDu9gLvMGBuR29AuqS68ypXE2Y4THlyn8USyF0mCVIt5V7o0qbANgUOo4k8DY3n\
        LLF7yxTJAMMAzQBOIgwuyrJiVkpOUaWNna1fMxabnbOuwKx21TWL/bJWt7isWbArF3b+mq++wLiwWwjLCme75iwpEfp4vAFqD9slqJSTdE+p\
        TkxTqNQWmjaASqdR+2f4s9xUTwibSpoUASp9kj4fPKdN0J21BbbhagtFo9SmPXVq2tOp53TPV2t1772Hy72fUaWk6X5Ok57SBj4NW9YOVfN1\
        vlpVZT9s9YABN8C3ZjvPiJn5PANAXw39vYbv+//+39sZfN8Xf7SzVVpfXNU9Z61RqKh4x2vy4J0/G5MpX+88ymLDtY6AX4CdoUwPDRFpLMY4\
        x+saFm//nfEv8KYHt6yOCkMzomSgCCq72wK25EoXDMcFsXLi3/sTi9iOvT2TaF1FxiAMo+lrnGsvPGfaUxLz8JWyTgrhuGsvO2fakxbzsFK+\
        TiJhNOfv1txjiHAsmzbXWwHcibH//jfs71+s12f0AnnfIyUNJURBLcLi16d9r1GdWNqs/wtJbPzTEkj9+wmFH/r0iDDxw8Q6jGrOqYbYlQIU\
        uLozSisk2E5E4ydLpNdNDxIMFRmqSpxAzHQkr/xq5PTvc56yITxQcky6cgTh0BRwdoM04cAFDMstKZO/EHKQbGnTUEoWzchsiGdGZA2E35j+\
        GMoTz7AHc9/15P+yBsJoU3+P43UPrPZ7awr8uEEigKIu5SNaL1ZOucydH9IpKtL5+XInwc+HinaIcqgggIBAcM9gyx33VCA2H9Q9LneP+z0u\
        lXsql7r3W6DyYm0IjleJm4IRT+1g2lIM3rf2t8vVMsBqxmLWbdyyzTEg83CTayOYSGGjm0AEaIU1VGQAq3lgmiw0z0IzlJkTctyxw0nyAsW8\
        jHm5kQqVc0bx2QLvFApzdIjC98QT/wqJOjlCcHAEimjh7u7gtEUIpCmVeWZaJfXaa09Vas3yZCQkIW4aGEjQAsbEBxENuUSJg/dlDyAh42Gn\
        9YX5O0pRBFmSIEfPOiaktcQpp3x457ne1ezKYurmqm3dBWlYZLrP+Tjpdunkqkz3o2pbtSv3+BFWW5eOxqrI40YXVFSDMZa5ti6WG7CVv3lP\
        kcJYtP61blc84TcgYAIRVEStORIxAtk+cI0ACBuKZYUAMYvO0NIRY6wnlAHdo8CTWM/OxX5kdCbBDeSWZ4pG7nG4TkGDBbp4zvNvL58vy9F3\
        +OEBkk8CkM/ADxQBj0ZFhm8S7k2xRQhLTwNIWHmDd+G3TMhZEKKMigWTePcJsszuOyXAtR+rKXFlRcpavXhwbyCuBep98ILZFFngSwY=
        """
}
