import CZstd
import Synchronization

/// zstd over whole blocks.
enum Zstandard {
    static let level: Int32 = 3

    /// The memory that zstd works in, which takes longer to make than a small block takes to compress.
    private struct Workspace: @unchecked Sendable {
        // Belongs to one thread at a time: whoever takes it out of the list.
        let pointer: OpaquePointer

        init?(_ pointer: OpaquePointer?) {
            guard let pointer else { return nil }
            self.pointer = pointer
        }
    }

    /// Those that nobody works in: never more than threads worked at once.
    private static let writers = Mutex<[Workspace]>([])
    private static let readers = Mutex<[Workspace]>([])

    /// `nil` when the result would not be smaller.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? { compressed(bytes[...]) }

    /// `nil` when the result would not be smaller.
    static func compressed(_ bytes: ArraySlice<UInt8>, level: Int32 = level) -> [UInt8]? {
        guard bytes.count > 32, let writer = writers.withLock({ $0.popLast() }) ?? Workspace(ZSTD_createCCtx()) else {
            return nil
        }
        defer { writers.withLock { $0.append(writer) } }
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            let size = bytes.withUnsafeBytes {
                ZSTD_compressCCtx(writer.pointer, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count, level)
            }
            count = ZSTD_isError(size) != 0 ? 0 : size
        }
        return result.isEmpty || result.count >= bytes.count ? nil : result
    }

    /// The `count` bytes that were compressed.
    static func decompressed(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [UInt8] {
        guard let reader = readers.withLock({ $0.popLast() }) ?? Workspace(ZSTD_createDCtx()) else {
            throw ByteReader.Malformed()
        }
        defer { readers.withLock { $0.append(reader) } }
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let size = bytes.withUnsafeBytes {
                ZSTD_decompressDCtx(reader.pointer, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
            }
            initialized = ZSTD_isError(size) != 0 ? 0 : size
        }
        guard result.count == count else { throw ByteReader.Malformed() }
        return result
    }
}
