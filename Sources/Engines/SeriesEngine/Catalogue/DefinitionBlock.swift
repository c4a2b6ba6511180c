import VigilPorts

/// Definitions of the catalogue one behind the other: of each the kind (a byte) and a block of its payload, all of it as a
/// ``PackedBlock``.
struct DefinitionBlock {
    static let countMax = 4096
    private(set) var count = 0
    private var writer = ByteWriter()

    var isFull: Bool { count >= Self.countMax }
    var isEmpty: Bool { count == 0 }
    var packed: [UInt8] { PackedBlock.pack(writer.bytes, sizeMax: .max) }

    mutating func append(_ kind: RecordKind, _ payload: UnsafeRawBufferPointer) {
        writer.append(kind.rawValue)
        writer.append(block: Array(payload))
        count += 1
    }

    /// Hands the definitions to `body` in their order; those of a kind that nobody knows are passed over.
    static func each(
        _ bytes: [UInt8], _ body: (RecordKind, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws {
        var reader = try PackedBlock.open(bytes[...])
        while !reader.isAtEnd {
            let kind = RecordKind(rawValue: try reader.byte())
            let payload = try reader.block()
            guard let kind else { continue }
            try payload.withUnsafeBytes { try body(kind, $0) }
        }
    }
}
