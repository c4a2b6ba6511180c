import Foundation
import VigilPorts

/// The catalogue on the disk, twice: nothing else says which series the numbers in the other files mean.
///
/// The copy is written first, so what the catalogue holds is in the copy too. A start that finds one of the two damaged or
/// missing puts it aside under another name and makes it anew from the other; it is not opened where both are.
final class CataloguePair: Sendable {
    private let main: CatalogueFile
    private let copy: CatalogueFile
    /// The position up to which the log is part of the files.
    let sealed: Int64
    /// What the start put right.
    let repairs: [StoreFact]

    private enum Found {
        case missing
        case whole(CatalogueFile)
        case damaged(StoreError)
    }

    /// Opens the two, or makes them in a folder that has none, and hands all definitions to `catalogue`.
    ///
    /// - Parameter isNew: Whether the folder has no file that needs a catalogue.
    init(folder: String, isNew: Bool, into catalogue: SeriesCatalogue) throws(StoreError) {
        var repairs: [StoreFact] = []
        var sealed: Int64 = 0
        var found = try Self.find(folder, FileNames.catalogue)
        var extent: (definitions: Int64, sealed: Int64) = (0, 0)
        if case .whole(let file) = found {
            do throws(StoreError) {
                // Also what a load does not read: a damage that sealing would meet.
                _ = try file.scan()
                sealed = try file.load { (kind, payload) throws(StoreError) in try catalogue.recover(kind, payload) }
                extent = try file.extent()
            } catch  where error.code == .damaged {
                file.close()
                found = .damaged(error)
            }
        }
        let (copy, copied, copyRepair) = try Self.openCopy(folder, found, isNew: isNew)
        // Ahead of the catalogue where a crash came between the two, or somebody put an empty one in its place.
        if copied.definitions > extent.definitions || copied.sealed > sealed {
            _ = try copy.load { (kind, payload) throws(StoreError) in try catalogue.recover(kind, payload) }
            sealed = max(sealed, copied.sealed)
        }
        let count = catalogue.definitionCount
        let isBehind = { (extent: (definitions: Int64, sealed: Int64)) in
            extent.definitions < count || extent.sealed < sealed
        }
        let all = isBehind(copied) || isBehind(extent) ? catalogue.definitions(after: SeriesCatalogue.Saved()) : []
        if isBehind(copied) { try copy.save(all, sealed: sealed, isAll: true) }
        switch found {
        case .whole(let file): main = file
        case .missing:
            main = try CatalogueFile(folder: folder)
            if count > 0 { repairs.append(Self.repair(FileNames.catalogue, from: FileNames.catalogueCopy)) }
        case .damaged:
            let aside = try Self.putAside(folder, FileNames.catalogue)
            repairs.append(Self.repair(FileNames.catalogue, from: FileNames.catalogueCopy, aside: aside))
            main = try CatalogueFile(folder: folder)
        }
        if isBehind(extent) { try main.save(all, sealed: sealed, isAll: true) }
        if let copyRepair { repairs.append(copyRepair) }
        self.copy = copy
        self.sealed = sealed
        self.repairs = repairs
    }

    /// The copy, made anew where it is missing or damaged and the catalogue is whole, and what it holds.
    private static func openCopy(
        _ folder: String, _ main: Found, isNew: Bool
    ) throws(StoreError) -> (CatalogueFile, (definitions: Int64, sealed: Int64), StoreFact?) {
        let name = FileNames.catalogueCopy
        var found = try find(folder, name)
        var extent: (definitions: Int64, sealed: Int64) = (0, 0)
        if case .whole(let file) = found {
            do throws(StoreError) {
                _ = try file.scan()
                extent = try file.extent()
            } catch  where error.code == .damaged {
                file.close()
                found = .damaged(error)
            }
        }
        switch (found, main) {
        case (.whole(let file), _): return (file, extent, nil)
        // A folder of before the copy, or a new one.
        case (.missing, .whole): return (try CatalogueFile(folder: folder, name: name), (0, 0), nil)
        case (.missing, .missing) where isNew: return (try CatalogueFile(folder: folder, name: name), (0, 0), nil)
        case (.damaged, .whole):
            let aside = try putAside(folder, name)
            let fact = repair(name, from: FileNames.catalogue, aside: aside)
            return (try CatalogueFile(folder: folder, name: name), (0, 0), fact)
        case (_, .damaged(let error)), (.damaged(let error), .missing): throw error
        case (.missing, .missing):
            throw StoreError(
                .damaged, "the series catalogue and its copy are missing", details: ["file": FileNames.catalogue])
        }
    }

    private static func find(_ folder: String, _ name: String) throws(StoreError) -> Found {
        guard FileManager.default.fileExists(atPath: folder + "/" + name) else { return .missing }
        do throws(StoreError) {
            return .whole(try CatalogueFile(folder: folder, name: name))
        } catch  where error.code == .damaged {
            return .damaged(error)
        }
    }

    // MARK: - Repair

    private static func repair(_ name: String, from other: String, aside: String? = nil) -> StoreFact {
        let cause = aside.map { "was damaged and lies beside as \($0)" } ?? "was missing"
        return StoreFact("series", name, "\(cause); it was made anew from \(other)", .warning)
    }

    /// Gives a damaged database another name, with what SQLite keeps beside it; says which.
    private static func putAside(_ folder: String, _ name: String) throws(StoreError) -> String {
        let files = FileManager.default
        var aside = name + FileNames.damaged
        var number = 2
        while files.fileExists(atPath: folder + "/" + aside) {
            aside = name + FileNames.damaged + "-\(number)"
            number += 1
        }
        for suffix in ["-wal", "-shm", "-journal", "-mark", ""] {
            let path = folder + "/" + name + suffix
            guard files.fileExists(atPath: path) else { continue }
            guard rename(path, folder + "/" + aside + suffix) == 0 else {
                throw StoreError.system(errno, "a damaged file cannot be renamed", file: name)
            }
        }
        try DiskFileSystem(folder: folder).syncFolder()
        return aside
    }

    /// Damaged files that a start put aside and nobody has removed since.
    static func asideNames(_ names: [String]) -> [String] {
        names.filter { name in
            [FileNames.catalogue, FileNames.catalogueCopy].contains { other in
                guard name.hasPrefix(other + FileNames.damaged) else { return false }
                let rest = name.dropFirst((other + FileNames.damaged).count)
                return rest.isEmpty || rest.first == "-" && Int(rest.dropFirst()) != nil
            }
        }
        .sorted()
    }

    // MARK: - Files

    func save(_ definitions: [(RecordKind, UInt32, RecordBuffer)], sealed: Int64) throws(StoreError) {
        // The copy first: what the catalogue holds is in the copy, whenever a crash comes.
        try copy.save(definitions, sealed: sealed)
        try main.save(definitions, sealed: sealed)
    }

    /// So many definitions may be rows of their own before compaction in the background puts them together.
    private static let looseMax = 8192

    /// Puts definitions that nobody saves again together where there are many, in both files.
    func packInBackground(upTo saved: SeriesCatalogue.Saved) throws(StoreError) {
        guard try main.looseCount() > Self.looseMax else { return }
        for (_, file) in files {
            try file.pack(upTo: saved)
            try file.giveBack()
        }
    }

    /// Puts all definitions that nobody saves again together, and writes both files without gaps.
    func compact(upTo saved: SeriesCatalogue.Saved) throws(StoreError) {
        for (_, file) in files {
            try file.pack(upTo: saved)
            try file.shrink()
        }
    }

    /// Both files by their names.
    var files: [(name: String, file: CatalogueFile)] {
        [(FileNames.catalogue, main), (FileNames.catalogueCopy, copy)]
    }

    func close() {
        main.close()
        copy.close()
    }
}
