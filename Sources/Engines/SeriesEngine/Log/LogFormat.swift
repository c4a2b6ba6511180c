/// What a record of the log says.
///
/// The raw values are on disk.
enum RecordKind: UInt8, Sendable {
    /// A source was seen for the first time.
    case group = 1
    /// A series was seen for the first time.
    case series = 2
    /// A row layout was used for the first time.
    case layout = 3
    /// Readings.
    case batch = 4
    /// Samples of some series in a range were removed.
    case delete = 5
    /// Everything of one tenant was removed.
    case deleteTenant = 6
    /// Nothing: its header proves that the record before it was synced. The next record overwrites it.
    case mark = 7
    /// Sources, series and layouts that a batch is the first to use, together.
    case definitions = 8
}

/// The 40 bytes before the payload of each record.
///
/// | Offset | Bytes | What |
/// |---|---|---|
/// | 0 | 4 | length of the payload, a multiple of 8 |
/// | 4 | 1 | kind |
/// | 5 | 3 | zero |
/// | 8 | 8 | position of the record: one more than that of the record before |
/// | 16 | 8 | position up to which everything was synced when this record was written: tells a torn tail from damage |
/// | 24 | 8 | checksum of the payload |
/// | 32 | 8 | checksum of bytes 0…31 |
struct RecordHeader {
    static let size = 40
    static let payloadBytesMax = 256 << 20

    var length: Int
    var kind: UInt8
    var position: Int64
    var synced: Int64
    var payloadChecksum: UInt64

    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
        bytes.storeBytes(of: UInt32(kind).littleEndian, toByteOffset: 4, as: UInt32.self)
        bytes.storeBytes(of: position.littleEndian, toByteOffset: 8, as: Int64.self)
        bytes.storeBytes(of: synced.littleEndian, toByteOffset: 16, as: Int64.self)
        bytes.storeBytes(of: payloadChecksum.littleEndian, toByteOffset: 24, as: UInt64.self)
        let own = Checksum.of(UnsafeRawBufferPointer(start: bytes, count: 32))
        bytes.storeBytes(of: own.littleEndian, toByteOffset: 32, as: UInt64.self)
    }

    /// `nil` when the bytes are not a header.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size else { return nil }
        var reader = RecordReader(bytes)
        guard let length: UInt32 = reader.number(), let kind: UInt32 = reader.number(),
            let position: Int64 = reader.number(), let synced: Int64 = reader.number(),
            let payload: UInt64 = reader.number(), let own: UInt64 = reader.number(), kind <= 255,
            Int(length) <= Self.payloadBytesMax, length % 8 == 0,
            own == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[0..<32]))
        else { return nil }
        self.init(
            length: Int(length), kind: UInt8(kind), position: position, synced: synced, payloadChecksum: payload)
    }

    init(length: Int, kind: UInt8, position: Int64, synced: Int64, payloadChecksum: UInt64) {
        self.length = length
        self.kind = kind
        self.position = position
        self.synced = synced
        self.payloadChecksum = payloadChecksum
    }
}

/// The first 64 bytes of a log file.
///
/// | Offset | Bytes | What |
/// |---|---|---|
/// | 0 | 8 | `VIGILLOG` |
/// | 8 | 4 | version of the format, 1 |
/// | 12 | 4 | zero |
/// | 16 | 8 | number of the file, as in its name |
/// | 24 | 8 | position of the first record |
/// | 32 | 8 | when the file was made, microseconds since 1970 |
/// | 40 | 16 | zero |
/// | 56 | 8 | checksum of bytes 0…55 |
struct LogHeader {
    static let size = 64
    static let version: UInt32 = 1
    static let magic: UInt64 = 0x474F_4C4C_4947_4956

    var version: UInt32
    var number: UInt64
    var firstPosition: Int64
    var created: Int64

    func bytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        bytes.withUnsafeMutableBytes { raw in
            raw.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
            raw.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt32.self)
            raw.storeBytes(of: number.littleEndian, toByteOffset: 16, as: UInt64.self)
            raw.storeBytes(of: firstPosition.littleEndian, toByteOffset: 24, as: Int64.self)
            raw.storeBytes(of: created.littleEndian, toByteOffset: 32, as: Int64.self)
            let own = Checksum.of(UnsafeRawBufferPointer(rebasing: raw[0..<56]))
            raw.storeBytes(of: own.littleEndian, toByteOffset: 56, as: UInt64.self)
        }
        return bytes
    }

    init(version: UInt32 = LogHeader.version, number: UInt64, firstPosition: Int64, created: Int64) {
        self.version = version
        self.number = number
        self.firstPosition = firstPosition
        self.created = created
    }

    /// `nil` when the bytes are not the header of a log file.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size else { return nil }
        var reader = RecordReader(bytes)
        guard let magic: UInt64 = reader.number(), magic == Self.magic, let version: UInt32 = reader.number(),
            reader.number(UInt32.self) != nil, let number: UInt64 = reader.number(),
            let first: Int64 = reader.number(), let created: Int64 = reader.number(),
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: UInt64.self))
                == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[0..<56]))
        else { return nil }
        self.init(version: version, number: number, firstPosition: first, created: created)
    }
}
