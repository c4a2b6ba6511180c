import SQLiteKit
import TemporaryFolders
import Testing

/// Whatever bit of a file flips: reading says so or gives the right answer, never a wrong one.
struct DamageTests {
    private static let question = "SELECT count(*), sum(a), sum(length(b)), min(b), max(b) FROM t"

    private func answer(_ path: String) throws -> [SQLiteValue]? {
        let connection = try SQLiteConnection(path, SQLiteOptions(access: .update))
        return try connection.run { try $0.row(Self.question) }
    }

    @Test func `a flipped bit anywhere in the file is found, and its page named`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(pageSize: 1024))
        try fill(connection, rows: 40)
        let truth = try connection.run { try $0.row(Self.question) }
        try connection.close()
        let bytes = try folder.bytes(of: "a.db")
        // Every byte of the header, and a byte in every stretch of 13 behind it.
        let places = Array(0..<110) + Array(stride(from: 110, to: bytes.count, by: 13))
        for place in places {
            let bit = place * 8 + place % 8
            try folder.flip(bit: bit, of: "a.db")
            defer { try? folder.flip(bit: bit, of: "a.db") }
            do {
                #expect(try answer(folder.file("a.db")) == truth, "byte \(place)")
            } catch let failure as SQLiteFailure {
                #expect(failure.code == .damaged, "byte \(place): \(failure)")
                #expect(failure.path == folder.file("a.db"))
            }
            let scan = #expect(throws: SQLiteFailure.self, "byte \(place)") {
                let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
                _ = try connection.run { try $0.scanPages() }
            }
            #expect(scan?.code == .damaged)
            let page = Int64(place < 1024 ? 0 : place / 1024 * 1024)
            #expect(scan?.offset == page, "byte \(place)")
            #expect(scan?.description.hasPrefix("DAMAGE: ") == true)
        }
        #expect(try answer(folder.file("a.db")) == truth)
    }

    @Test func `a page in another page's place is found`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(pageSize: 1024))
        try fill(connection, rows: 40)
        try connection.close()
        var bytes = try folder.bytes(of: "a.db")
        bytes.replaceSubrange(3072..<4096, with: bytes[4096..<5120])
        try folder.write(bytes, to: "a.db")
        let failure = #expect(throws: SQLiteFailure.self) {
            let damaged = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
            _ = try damaged.run { try $0.scanPages() }
        }
        #expect(failure?.code == .damaged)
        #expect(failure?.offset == 3072)
    }

    /// The folder as a crash leaves it: the log is not yet in the file.
    private func crashed(_ body: (TemporaryFolder, [SQLiteValue]?, [String: [UInt8]]) throws -> Void) throws {
        let source = try TemporaryFolder()
        let connection = try SQLiteConnection(source.file("a.db"), SQLiteOptions(pageSize: 1024, checkpointPages: 0))
        try fill(connection, rows: 30)
        for row in 0..<10 {
            try connection.run { (session) throws in
                _ = try session.run("UPDATE t SET b = ? WHERE a = ?", [.text("new \(row)"), .integer(Int64(row))])
            }
        }
        let truth = try connection.run { try $0.row(Self.question) }
        var files: [String: [UInt8]] = [:]
        for name in ["a.db", "a.db-wal", "a.db-mark"] { files[name] = try source.bytes(of: name) }
        try body(try TemporaryFolder(), truth, files)
    }

    @Test func `a log that is whole is recovered`() throws {
        try crashed { folder, truth, files in
            for (name, bytes) in files { try folder.write(bytes, to: name) }
            #expect(try answer(folder.file("a.db")) == truth)
        }
    }

    @Test(arguments: ["a.db-wal", "a.db-mark", "a.db"])
    func `a flipped bit in what a crash left is damage or makes no difference`(name: String) throws {
        try crashed { folder, truth, files in
            let count = try #require(files[name]?.count)
            let places = Array(0..<min(count, 60)) + Array(stride(from: 60, to: count, by: 97))
            for place in places {
                for (name, bytes) in files { try folder.write(bytes, to: name) }
                try folder.flip(bit: place * 8 + place % 8, of: name)
                do {
                    #expect(try answer(folder.file("a.db")) == truth, "byte \(place)")
                } catch let failure as SQLiteFailure {
                    #expect(failure.code == .damaged, "byte \(place): \(failure)")
                    #expect(failure.path == folder.file(name == "a.db-mark" ? "a.db-wal" : name))
                    #expect(name != "a.db-mark")
                }
            }
        }
    }

    @Test func `a log that lost its end or itself is damage`() throws {
        try crashed { folder, _, files in
            for keep in [0, 31, 5000] {
                for (name, bytes) in files { try folder.write(bytes, to: name) }
                try folder.write(Array((files["a.db-wal"] ?? []).prefix(keep)), to: "a.db-wal")
                let failure = #expect(throws: SQLiteFailure.self) { try answer(folder.file("a.db")) }
                #expect(failure?.code == .damaged)
                #expect(failure?.path.hasSuffix("-wal") == true)
            }
        }
    }

    @Test func `a torn end that was never promised is cut off`() throws {
        try crashed { folder, truth, files in
            for (name, bytes) in files { try folder.write(bytes, to: name) }
            let log = files["a.db-wal"] ?? []
            try folder.write(log + Array(log[32..<700]), to: "a.db-wal")
            #expect(try answer(folder.file("a.db")) == truth)
        }
    }

    @Test func `damage while the file is open is met by the next read`() throws {
        let folder = try TemporaryFolder()
        let writer = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(pageSize: 1024, checkpointPages: 0))
        try fill(writer, rows: 40)
        for place in stride(from: 32 + 24 + 5, to: 30_000, by: 1048) {
            try folder.flip(bit: place * 8, of: "a.db-wal")
        }
        let failure = withExtendedLifetime(writer) {
            #expect(throws: SQLiteFailure.self) {
                let reader = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
                _ = try reader.run { try $0.row(Self.question) }
            }
        }
        #expect(failure?.code == .damaged)
        #expect(failure?.path == folder.file("a.db-wal"))
    }
}
