import Foundation
import VigilPorts

/// The folders of the warm tier and of the archive.
struct TierFolders: Sendable {
    let warm: DiskFileSystem
    let archive: DiskFileSystem
    private let placement: ChunkPlacement

    init(folder: String, configuration: SeriesConfiguration) throws(StoreError) {
        warm = try DiskFileSystem(folder: configuration.warmFolder ?? folder + "/" + FileNames.warm)
        archive = try DiskFileSystem(folder: configuration.archiveFolder ?? folder + "/" + FileNames.archive)
        placement = configuration.placement
        // What was being made when the process ended is made again.
        for files in [warm, archive] {
            for name in try files.names() where name.hasSuffix(FileNames.unfinished) { try files.remove(name) }
        }
    }

    func warmNames() throws(StoreError) -> [String] { try warm.names() }

    /// The files of the archive.
    func archiveNames() throws(StoreError) -> [String] {
        try archive.names().filter { FileNames.place($0) != nil }.sorted()
    }

    /// What both folders take.
    var bytes: Int {
        var sum = 0
        for files in [warm, archive] {
            for name in (try? files.names()) ?? [] { sum += files.size(of: name) }
        }
        return sum
    }

    /// Opens what was attached when the store was closed.
    func attachMarked(to store: ChunkStore, cacheBytes: Int) throws(StoreError) {
        for name in try archiveNames() where isMarked(name) {
            do throws(StoreError) {
                store.attach(try open(name, cacheBytes: cacheBytes), as: name)
            } catch  where error.code == .damaged {
                guard let place = FileNames.place(name) else { throw error }
                store.leaveOut((placement.start(of: place), placement.end(of: place)), error)
            }
        }
    }

    func open(_ name: String, cacheBytes: Int) throws(StoreError) -> ChunkFile {
        guard let place = FileNames.place(name) else {
            throw StoreError(.invalid, "there is no such file in the archive", details: ["file": name])
        }
        return try ChunkFile(
            folder: archive.folder, name: name, place: place, placement, tier: .archive, cacheBytes: cacheBytes)
    }

    func isMarked(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: archive.folder + "/" + name + FileNames.attached)
    }

    func mark(_ name: String, _ isAttached: Bool) throws(StoreError) {
        if isAttached {
            try archive.open(name + FileNames.attached).sync()
        } else {
            try archive.remove(name + FileNames.attached)
        }
        try archive.syncFolder()
    }

    /// A name for a file of a place that the archive does not have yet.
    func archiveName(_ place: ChunkPlace) throws(StoreError) -> String {
        let names = Set(try archive.names())
        var copy = 1
        while names.contains(FileNames.chunks(place, copy: copy)) { copy += 1 }
        return FileNames.chunks(place, copy: copy)
    }

    /// Writes a compact copy of `file` into a folder under `name`: whole and on the disk, or not there.
    static func write(_ file: ChunkFile, to files: DiskFileSystem, as name: String) throws(StoreError) {
        let unfinished = name + FileNames.unfinished
        try files.remove(unfinished)
        try file.copy(to: files.folder + "/" + unfinished)
        try files.open(unfinished).sync()
        guard rename(files.folder + "/" + unfinished, files.folder + "/" + name) == 0 else {
            throw StoreError.system(errno, "a file cannot be renamed", file: name)
        }
        try files.syncFolder()
    }

    /// Removes a database file with what SQLite keeps beside it.
    static func remove(_ name: String, from files: any FileSystem) throws(StoreError) {
        for suffix in ["", "-wal", "-shm", "-journal"] { try files.remove(name + suffix) }
        try files.syncFolder()
    }
}
