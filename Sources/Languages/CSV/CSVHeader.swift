/// The names of a file's columns.
package struct CSVHeader: Sendable, Hashable {
    package let names: [String]
    private let places: [String: Int]

    /// Takes the first record of a file.
    ///
    /// Blanks around a name do not belong to it.
    /// `nil` when a name comes twice: a value could not be told by its column's name.
    package init?(_ record: CSVRecord) {
        names = record.fields.map { field in
            let start = field.unicodeScalars.firstIndex { $0 != " " && $0 != "\t" }
            guard let start, let end = field.unicodeScalars.lastIndex(where: { $0 != " " && $0 != "\t" }) else {
                return ""
            }
            return String(field.unicodeScalars[start...end])
        }
        var places: [String: Int] = [:]
        for (index, name) in names.enumerated() where !name.isEmpty {
            guard places.updateValue(index, forKey: name) == nil else { return nil }
        }
        self.places = places
    }

    /// The place of a column, or `nil` when there is none of that name.
    package func index(of name: String) -> Int? { places[name] }

    /// The value of a column in a record; `nil` when there is no such column or the record is too short.
    package subscript(_ name: String, in record: CSVRecord) -> String? {
        guard let index = places[name], index < record.fields.count else { return nil }
        return record.fields[index]
    }
}
