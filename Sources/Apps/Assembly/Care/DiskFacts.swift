import Foundation
import VigilModel
import VigilPorts
import VigilServices

/// What the system says of the disk under a path.
struct DiskFacts {
    let freeBytes: Int
    let isReadOnly: Bool

    /// Below this a disk is a problem.
    static let freeMin = 256 << 20
    /// Below this nothing more is written.
    static let freeNone = 1 << 20
    /// Below this it is worth a look.
    static let freeLow = 2 << 30

    init?(of path: String) {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { return nil }
        freeBytes = Int(information.f_bavail) * Int(information.f_frsize)
        isReadOnly = information.f_flag & UInt(ST_RDONLY) != 0
    }

    /// Tells `/ready` that there is no room to write.
    static func probe(of path: String) -> Readiness.Probe {
        Readiness.Probe("disk", isTruth: true) {
            guard let disk = DiskFacts(of: path), disk.freeBytes < freeNone else { return }
            throw StoreError(.full, "The disk with the data folder is full: what is there is read, nothing is written.")
        }
    }

    /// Alerts when little room is left below `path`.
    static func check(of path: String) -> SystemWatch.Check {
        SystemWatch.Check("disk", .high, title: "The disk is nearly full") {
            guard let disk = DiskFacts(of: path), disk.freeBytes < freeMin else { return nil }
            return "Only \(Doctor.text(ofBytes: disk.freeBytes)) are free where the data folder lies."
        }
    }
}
