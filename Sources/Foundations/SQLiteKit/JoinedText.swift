import GRDB

/// The aggregate `vigil_joined(value, separator, key, descending)`: the values but NULL, in the order of their keys.
///
/// Keys are ordered as SQLite orders a column: NULL, then numbers, texts by their bytes, blobs; here NULL comes last when
/// ascending and first when descending, as in PostgreSQL.
struct JoinedText: DatabaseAggregate {
    static let function = DatabaseFunction("vigil_joined", argumentCount: 4, pure: true, aggregate: JoinedText.self)

    private var values: [(key: DatabaseValue, text: String)] = []
    private var separator = ""
    private var isDescending = false

    mutating func step(_ arguments: [DatabaseValue]) throws {
        guard !arguments[0].isNull else { return }
        if values.isEmpty {
            separator = String.fromDatabaseValue(arguments[1]) ?? ""
            isDescending = Bool.fromDatabaseValue(arguments[3]) ?? false
        }
        values.append((arguments[2], Self.text(arguments[0])))
    }

    func finalize() throws -> (any DatabaseValueConvertible)? {
        guard !values.isEmpty else { return nil }
        let sorted = values.enumerated().sorted { left, right in
            if Self.isLess(left.element.key, right.element.key) { return !isDescending }
            if Self.isLess(right.element.key, left.element.key) { return isDescending }
            return left.offset < right.offset
        }
        return sorted.map(\.element.text).joined(separator: separator)
    }

    private static func text(_ value: DatabaseValue) -> String {
        switch value.storage {
        case .string(let text): text
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null: ""
        }
    }

    private static func isLess(_ left: DatabaseValue, _ right: DatabaseValue) -> Bool {
        switch (left.storage, right.storage) {
        case (.int64(let left), .int64(let right)): left < right
        case (.int64(let left), .double(let right)): Double(left) < right
        case (.double(let left), .int64(let right)): left < Double(right)
        case (.double(let left), .double(let right)): left < right
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.blob(let left), .blob(let right)): left.lexicographicallyPrecedes(right)
        default: rank(left) < rank(right)
        }
    }

    private static func rank(_ value: DatabaseValue) -> Int {
        switch value.storage {
        case .int64, .double: 0
        case .string: 1
        case .blob: 2
        case .null: 3
        }
    }
}
