import VigilPorts

/// A statement on its way to the server.
struct WireRequest {
    let text: String
    let parameters: [SQLValue]
    /// Whether the connection prepares the statement and keeps it.
    var isPrepared = true
    /// Whether rows are handed over one by one, so that a long result is never held twice.
    var rowByRow = false
    /// Types of parameters that are `bytes` in the binary form of another type than `bytea`.
    var binaryTypes: [UInt32?] = []

    init(_ text: String, _ parameters: [SQLValue] = [], isPrepared: Bool = true, rowByRow: Bool = false) {
        self.text = text
        self.parameters = parameters
        self.isPrepared = isPrepared
        self.rowByRow = rowByRow
    }

    init(_ sql: SQL, isPrepared: Bool = true, rowByRow: Bool = false) {
        let (text, parameters) = sql.rendered { "$\($0)" }
        self.init(text, parameters, isPrepared: isPrepared, rowByRow: rowByRow)
    }
}

/// What the server answered to one request.
struct WireAnswer {
    var columns: [String] = []
    var rows: [[SQLValue]] = []
    /// Rows inserted, changed or removed.
    var changed = 0
    /// The command's tag, such as `COMMIT`.
    var tag = ""
}

/// Parameters as libpq takes them: one buffer, and where each value starts in it.
///
/// Numbers, booleans and bytes carry their type, so that the server need not guess it from where they stand; text and
/// NULL do not, so that a text can become a UUID or JSON.
struct WireParameters {
    private(set) var types: [UInt32] = []
    private var bytes: [UInt8] = []
    private var starts: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [SQLValue], binaryTypes: [UInt32?] = []) throws(PostgresFailure) {
        guard values.count <= 65535 else {
            throw PostgresFailure(
                kind: .local(StoreError(.limit, "A statement has more than 65535 parameters", details: [:])))
        }
        types.reserveCapacity(values.count)
        for value in values { try append(value) }
        for (index, type) in binaryTypes.enumerated() {
            if let type { types[index] = type }
        }
    }

    private mutating func append(_ value: SQLValue) throws(PostgresFailure) {
        starts.append(bytes.count)
        var format: Int32 = 0
        switch value {
        case .null:
            starts[starts.count - 1] = nil
            types.append(0)
        case .integer(let number):
            types.append(PostgresType.int8)
            bytes += String(number).utf8
        case .real(let number):
            types.append(PostgresType.float8)
            bytes += Self.text(number).utf8
        case .boolean(let flag):
            types.append(PostgresType.bool)
            bytes.append(UInt8(ascii: flag ? "t" : "f"))
        case .text(let text):
            types.append(0)
            bytes += text.utf8
            try refuseZero(from: starts[starts.count - 1] ?? 0)
        case .bytes(let value):
            types.append(PostgresType.bytea)
            format = 1
            bytes += value
        }
        lengths.append(Int32(clamping: bytes.count - (starts[starts.count - 1] ?? bytes.count)))
        formats.append(format)
        bytes.append(0)
    }

    private func refuseZero(from start: Int) throws(PostgresFailure) {
        guard bytes[start...].contains(0) else { return }
        throw PostgresFailure(kind: .local(StoreError(.invalid, "A text holds U+0000", details: [:])))
    }

    static func text(_ number: Double) -> String {
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : number.description
    }

    /// Calls `body` with the arrays that `PQsendQueryPrepared` and its like want.
    func withPointers<Result>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = starts.map { start in start.flatMap { base?.advanced(by: $0) } }
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(Int32(starts.count), values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}

/// Type numbers of `pg_type`, which never change.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let xid: UInt32 = 28
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    static let xid8: UInt32 = 5069
}
