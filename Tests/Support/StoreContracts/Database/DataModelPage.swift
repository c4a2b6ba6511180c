package import Foundation

/// `Docs/Reference/data-model.md`, as tests read it.
package enum DataModelPage {
    package static let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Docs/Reference/data-model.md")

    /// The table of relations: `| table | columns | target | rule |`.
    package static func relations(of page: String) -> [SchemaFacts.Relation] {
        guard let start = page.range(of: "## Relations") else { return [] }
        return page[start.upperBound...].split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[0].hasPrefix("`") else { return nil }
            let names = cells.map { $0.replacing("`", with: "") }
            return SchemaFacts.Relation(
                table: names[0],
                columns: names[1].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) },
                target: names[2], rule: names[3])
        }.sorted()
    }
}
