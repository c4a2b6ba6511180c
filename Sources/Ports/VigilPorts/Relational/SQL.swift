/// A piece of SQL with its parameters.
///
/// Everything that stands in `\(…)` is bound as a parameter, so a value can never become syntax. Lists bind as many
/// parameters as they have elements. SQL composes from other `SQL`:
///
/// ```swift
/// let open: SQL = "closure = \("open")"
/// let rows = try transaction.rows("SELECT id FROM alerts WHERE \(open) AND device IN \(devices)")
/// ```
///
/// Write the subset that SQLite 3.40 and PostgreSQL 15 share; what differs comes from ``SQLDialect``.
package struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    package enum Part: Sendable, Hashable {
        case text(String)
        case parameter(SQLValue)
    }

    package private(set) var parts: [Part]

    package init(stringLiteral value: String) {
        parts = [.text(value)]
    }

    package init(stringInterpolation: StringInterpolation) {
        parts = stringInterpolation.parts
    }

    /// SQL that is known only at run time: migrations and dialect functions.
    /// - Important: Never pass anything that came from outside.
    package init(unchecked text: String) {
        parts = [.text(text)]
    }

    package init(parts: [Part]) {
        self.parts = parts
    }

    package static func + (left: SQL, right: SQL) -> SQL { SQL(parts: left.parts + right.parts) }
    package static func += (left: inout SQL, right: SQL) { left.parts += right.parts }

    /// The text with each parameter replaced by what `placeholder` makes of its number (from 1), and the parameters.
    package func rendered(_ placeholder: (Int) -> String) -> (text: String, parameters: [SQLValue]) {
        var text = ""
        var parameters: [SQLValue] = []
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .parameter(let value):
                parameters.append(value)
                text += placeholder(parameters.count)
            }
        }
        return (text, parameters)
    }

    package struct StringInterpolation: StringInterpolationProtocol, Sendable {
        fileprivate var parts: [Part] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(interpolationCount * 2 + 1)
        }

        package mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        /// Other SQL, with its parameters.
        package mutating func appendInterpolation(_ sql: SQL) {
            parts += sql.parts
        }

        package mutating func appendInterpolation(_ value: SQLValue) {
            parts.append(.parameter(value))
        }

        package mutating func appendInterpolation(_ value: some SQLConvertible) {
            parts.append(.parameter(value.sqlValue))
        }

        package mutating func appendInterpolation(_ value: (some SQLConvertible)?) {
            parts.append(.parameter(value?.sqlValue ?? .null))
        }

        /// A list in parentheses.
        ///
        /// An empty list matches nothing: `(NULL)`.
        package mutating func appendInterpolation<Values: Collection>(_ values: Values)
        where Values.Element: SQLConvertible {
            guard !values.isEmpty else {
                parts.append(.text("(NULL)"))
                return
            }
            var separator = "("
            for value in values {
                parts.append(.text(separator))
                parts.append(.parameter(value.sqlValue))
                separator = ", "
            }
            parts.append(.text(")"))
        }
    }
}

extension Sequence<SQL> {
    /// The pieces with `separator` between them.
    package func joined(_ separator: SQL) -> SQL {
        var result = SQL(parts: [])
        for (index, piece) in enumerated() {
            if index > 0 { result += separator }
            result += piece
        }
        return result
    }
}
