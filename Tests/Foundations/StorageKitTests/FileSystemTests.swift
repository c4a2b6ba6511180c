import Foundation
import StorageKit
import Testing

struct FileSystemTests {
    let files = LocalFileSystem()

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "storagekit-" + UUID().uuidString
        defer { try? files.removeFolder(folder) }
        try files.makeFolder(folder + "/inner")
        try body(folder)
    }

    @Test func `what was written is read, at any offset`() throws {
        try inFolder { folder in
            let file = try files.open(folder + "/a", for: .create)
            defer { file.close() }
            try file.write([1, 2, 3], at: 2)
            try file.sync()
            #expect(try file.read(10, at: 0) == [0, 0, 1, 2, 3])
            #expect(try file.read(10, at: 9) == [])
            try file.truncate(to: 3)
            #expect(try file.size() == 3)
        }
    }

    @Test func `replacing a file's content leaves nothing else behind`() throws {
        try inFolder { folder in
            try files.replaceContent(of: folder + "/a", with: [1])
            try files.replaceContent(of: folder + "/a", with: [2, 3])
            #expect(try files.content(of: folder + "/a") == [2, 3])
            #expect(try files.names(in: folder) == ["a", "inner"])
        }
    }

    @Test func `failures are named`() throws {
        try inFolder { folder in
            let missing = #expect(throws: FileFailure.self) { try files.open(folder + "/none", for: .read) }
            #expect(missing?.code == .missing)
            #expect(missing?.path == folder + "/none")
            _ = try files.open(folder + "/a", for: .createNew)
            #expect(throws: FileFailure.self) { try files.open(folder + "/a", for: .createNew) }
            #expect(try files.remove(folder + "/a"))
            #expect(try files.remove(folder + "/a") == false)
            #expect(try files.status(of: folder + "/a") == nil)
        }
    }

    @Test func `a closed file fails instead of reaching another one`() throws {
        try inFolder { folder in
            let file = try files.open(folder + "/a", for: .create)
            file.close()
            let other = try files.open(folder + "/b", for: .create)
            defer { other.close() }
            #expect(throws: FileFailure.self) { try file.write([1], at: 0) }
            #expect(try other.size() == 0)
        }
    }

    @Test func `a folder is held by one lock, and the next is told by whom`() throws {
        try inFolder { folder in
            #expect(FolderLock.holder(of: folder) == nil)
            do {
                let lock = try FolderLock(folder: folder)
                let held = #expect(throws: FolderLock.Held.self) { try FolderLock(folder: folder) }
                #expect(held?.process == ProcessInfo.processInfo.processIdentifier)
                #expect(held?.description.contains("(process \(ProcessInfo.processInfo.processIdentifier))") == true)
                #expect(FolderLock.holder(of: folder) == ProcessInfo.processInfo.processIdentifier)
                withExtendedLifetime(lock) {}
            }
            #expect(FolderLock.holder(of: folder) == nil)
            withExtendedLifetime(try FolderLock(folder: folder)) {}
        }
    }
}
