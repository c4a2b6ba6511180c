package import VigilModel

/// A value as both engines can store it.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
    /// 0 or 1 in SQLite, a boolean in PostgreSQL.
    case boolean(Bool)
}

/// What can be bound as a parameter and read from a column.
package protocol SQLConvertible: Sendable {
    var sqlValue: SQLValue { get }
    /// `nil` when `sqlValue` does not hold this type. Engines may answer a boolean as an integer or a text of a number
    /// as text; conversions accept every form that an engine uses.
    init?(sqlValue: SQLValue)
}

extension String: SQLConvertible {
    package var sqlValue: SQLValue { .text(self) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Int64: SQLConvertible {
    package var sqlValue: SQLValue { .integer(self) }
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .integer(let value): self = value
        case .real(let value):
            guard let exact = Int64(exactly: value) else { return nil }
            self = exact
        case .boolean(let value): self = value ? 1 : 0
        default: return nil
        }
    }
}

extension Int: SQLConvertible {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init?(sqlValue: SQLValue) {
        guard let value = Int64(sqlValue: sqlValue) else { return nil }
        self.init(exactly: value)
    }
}

extension Double: SQLConvertible {
    package var sqlValue: SQLValue { .real(self) }
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .real(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
}

extension Bool: SQLConvertible {
    package var sqlValue: SQLValue { .boolean(self) }
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .boolean(let value): self = value
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }
}

extension [UInt8]: SQLConvertible {
    package var sqlValue: SQLValue { .bytes(self) }
    package init?(sqlValue: SQLValue) {
        guard case .bytes(let value) = sqlValue else { return nil }
        self = value
    }
}

extension Identifier: SQLConvertible {
    package var sqlValue: SQLValue { .text(description) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self.init(value)
    }
}

extension Timestamp: SQLConvertible {
    package var sqlValue: SQLValue { .integer(microseconds) }
    package init?(sqlValue: SQLValue) {
        guard let value = Int64(sqlValue: sqlValue) else { return nil }
        self.init(microseconds: value)
    }
}

extension JSONValue: SQLConvertible {
    package var sqlValue: SQLValue { .text(canonicalText) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue, let json = try? JSONValue(parsing: value) else { return nil }
        self = json
    }
}

extension Severity: SQLConvertible {
    package var sqlValue: SQLValue { .integer(Int64(rank)) }
    package init?(sqlValue: SQLValue) {
        guard let rank = Int(sqlValue: sqlValue) else { return nil }
        self.init(rank: rank)
    }
}

/// Text enumerations store their raw value.
extension SQLConvertible where Self: RawRepresentable, RawValue == String {
    package var sqlValue: SQLValue { .text(rawValue) }
    package init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self.init(rawValue: value)
    }
}

extension AlertType: SQLConvertible {}
extension AlertClosure: SQLConvertible {}
extension AdministrativeStatus: SQLConvertible {}

/// One row of a result: columns by name or position.
package struct SQLRow: Sendable {
    /// Lower-case column names, shared by all rows of a result.
    package let columns: [String]
    package let values: [SQLValue]

    package init(columns: [String], values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// The value of a column.
    /// - Throws: ``StoreError/Code/internalFault`` when there is no such column, it is NULL or holds another type:
    ///   statement and reader are both ours, so this is a bug, and it names the column.
    package func get<Value: SQLConvertible>(_ column: String, as type: Value.Type = Value.self) throws(StoreError)
        -> Value
    {
        guard let value = try optional(column, as: type) else {
            throw StoreError(.internalFault, "A column is NULL that must not be", details: ["column": column])
        }
        return value
    }

    /// The value of a column, `nil` when it is NULL.
    package func optional<Value: SQLConvertible>(_ column: String, as type: Value.Type = Value.self)
        throws(StoreError) -> Value?
    {
        guard let index = columns.firstIndex(of: column) else {
            throw StoreError(.internalFault, "A result has no such column", details: ["column": column])
        }
        if case .null = values[index] { return nil }
        guard let value = Value(sqlValue: values[index]) else {
            throw StoreError(.internalFault, "A column holds another type", details: ["column": column])
        }
        return value
    }
}
