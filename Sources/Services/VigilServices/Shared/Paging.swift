import Foundation
package import VigilModel

/// Which page of a list is wanted.
package struct PageRequest: Sendable, Hashable {
    package static let defaultLimit = 50
    package static let limitMax = 500

    /// 1 to ``limitMax``.
    package let limit: Int
    /// Where the page before ended; `nil` for the first.
    package let cursor: PageCursor?

    package static let first = PageRequest(unchecked: defaultLimit, cursor: nil)

    /// - Throws: `invalid` for a limit out of bounds, or a cursor that this server did not give out.
    package init(limit: Int? = nil, cursor: String? = nil) throws(ServiceError) {
        guard (1...Self.limitMax).contains(limit ?? Self.defaultLimit) else {
            throw .invalid("limit", "must be 1 to \(Self.limitMax)", code: "request.query")
        }
        self.limit = limit ?? Self.defaultLimit
        self.cursor = try cursor.map(PageCursor.init(text:))
    }

    private init(unchecked limit: Int, cursor: PageCursor?) {
        self.limit = limit
        self.cursor = cursor
    }
}

/// Where a page of a list ended: the sort keys of its last row.
///
/// Rows that come or go do not move it, because it names a place in the order and not a count.
package struct PageCursor: Sendable, Hashable {
    package let keys: [JSONValue]

    package init(_ keys: [JSONValue]) {
        self.keys = keys
    }

    /// - Throws: `invalid` when it is not a cursor that ``text`` made.
    package init(text: String) throws(ServiceError) {
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4)
        guard text.utf8.count <= 2048, let data = Data(base64Encoded: padded),
            let keys = try? JSONDecoder().decode([JSONValue].self, from: data)
        else { throw Self.invalid }
        self.keys = keys
    }

    /// The opaque form, safe in a URL.
    package var text: String {
        Data(JSONValue.array(keys).canonicalText.utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// A key that is text, such as an identifier or a name.
    ///
    /// - Throws: `invalid` when the cursor belongs to another list.
    package func text(at index: Int) throws(ServiceError) -> String {
        guard index < keys.count, let text = keys[index].text else { throw Self.invalid }
        return text
    }

    /// A key that is a whole number, such as a time in microseconds.
    package func integer(at index: Int) throws(ServiceError) -> Int64 {
        guard index < keys.count, case .integer(let value) = keys[index] else { throw Self.invalid }
        return value
    }

    private static let invalid = ServiceError.invalid(
        "cursor", "is not a cursor that this list gave out", code: "request.cursor")
}

/// Some items of a list, and where the next ones begin.
package struct Portion<Item: Sendable>: Sendable {
    package var items: [Item]
    /// `nil` after the last item.
    package var next: PageCursor?

    package init(items: [Item], next: PageCursor?) {
        self.items = items
        self.next = next
    }

    /// Makes a portion of rows of which one more was asked for than the page holds.
    ///
    /// - Parameter keys: The sort keys of an item.
    package init(of rows: [Item], limit: Int, keys: (Item) -> [JSONValue]) {
        items = Array(rows.prefix(limit))
        next = rows.count > limit ? items.last.map { PageCursor(keys($0)) } : nil
    }
}
