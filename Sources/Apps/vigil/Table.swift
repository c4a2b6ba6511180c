import Foundation

/// Rows in columns for people at a terminal.
struct Table {
    private let heads: [String]
    private var rows: [[String]] = []

    init(_ heads: String...) {
        self.heads = heads
    }

    mutating func add(_ cells: Any?...) {
        rows.append(cells.map(Self.text))
    }

    /// Prints the rows below their heads, or one sentence when there are none.
    func printed(none: String) {
        if rows.isEmpty { return print(none) }
        let widths = heads.indices.map { column in
            max(heads[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        for row in [heads.map { $0.uppercased() }] + rows {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            print(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    private static func text(_ value: Any?) -> String {
        switch value {
        case nil, is NSNull: "-"
        // Names come from devices: what would move the cursor stays out.
        case let value?: String("\(value)".map { $0.isNewline || $0.asciiValue.map { $0 < 32 } == true ? " " : $0 })
        }
    }
}
