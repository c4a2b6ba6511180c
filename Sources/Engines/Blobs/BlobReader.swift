import Crypto
import StorageKit
import Synchronization
import VigilPorts

/// Reads a blob piece by piece, and hands out the last piece only when the whole has the hash that is its name.
final class BlobReader: Sendable {
    private let file: any OpenFile
    private let name: String
    private let size: Int64
    private let pieceSize: Int
    private let state = Mutex((offset: Int64(0), hash: SHA256()))

    init(file: any OpenFile, name: String, size: Int64, pieceSize: Int) {
        self.file = file
        self.name = name
        self.size = size
        self.pieceSize = pieceSize
    }

    deinit { file.close() }

    var damage: StoreError {
        StoreError(.damaged, "A blob is not what was stored", details: ["file": file.path, "offset": "0"])
    }

    func next() throws -> [UInt8]? {
        try state.withLock { state in
            if state.offset >= size, state.offset > 0 || size == 0 { return try end(&state.hash, isEmpty: size == 0) }
            let piece = try file.read(pieceSize, at: state.offset)
            guard !piece.isEmpty else { throw damage }
            state.hash.update(data: piece)
            state.offset += Int64(piece.count)
            if state.offset >= size { _ = try end(&state.hash, isEmpty: false) }
            return piece
        }
    }

    private func end(_ hash: inout SHA256, isEmpty: Bool) throws -> [UInt8]? {
        if isEmpty || size > 0 {
            guard FolderBlobs.text(hash.finalize()) == name else { throw damage }
        }
        return nil
    }
}
