import VigilModel

/// The field lists that lines have had so far, as a tree: a node is a list, its parent the list without the last field.
///
/// Lines of one kind of device name the same fields in the same order, so the child that was taken last is nearly always
/// the one to take again, and a field costs one comparison of bytes.
struct FieldShapes {
    struct Node {
        let parent: Int32
        let depth: Int32
        let name: Int32
        let kind: ReadingValue.Kind
        /// The child taken last, with its name's place in `nameBytes`; -1 at first.
        var recentChild: Int32 = -1
    }

    struct Name {
        let text: String
        let start: Int
        let count: Int
    }

    private struct Edge: Hashable {
        let parent: Int32
        let name: Int32
        let kind: ReadingValue.Kind
    }

    /// The empty list is node 0.
    private(set) var nodes = [Node(parent: -1, depth: 0, name: -1, kind: .float)]
    private(set) var names: [Name] = []
    /// The names as written, one after the other.
    private(set) var nameBytes: [UInt8] = []
    private var nameOfBytes: [ArraySlice<UInt8>: Int32] = [:]
    private var children: [Edge: Int32] = [:]

    /// The name that the cursor most probably stands before, or -1.
    @inline(__always)
    func expectedName(after node: Int32) -> Int32 {
        let child = nodes[Int(node)].recentChild
        return child < 0 ? -1 : nodes[Int(child)].name
    }

    /// Whether `name` and an equals sign follow at the cursor.
    @inline(__always)
    func isNext(_ name: Int32, at cursor: ByteCursor) -> Bool {
        let entry = names[Int(name)]
        guard cursor.position + entry.count < cursor.end,
            cursor.base[cursor.position + entry.count] == Byte.equals
        else { return false }
        return nameBytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { cursor.matches($0 + entry.start, count: entry.count) } ?? false
        }
    }

    @inline(__always)
    func byteCount(of name: Int32) -> Int { names[Int(name)].count }

    /// The number of the name that is written as `bytes`; a new name is checked and added.
    mutating func name(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<Int32, LineReason> {
        let key = ArraySlice(bytes)
        if let known = nameOfBytes[key] { return .success(known) }
        switch FieldName.text(bytes) {
        case .failure(let reason): return .failure(reason)
        case .success(let text):
            // What begins so is Vigil's own.
            if text.utf8.starts(with: "__".utf8) { return .failure(.fieldReserved) }
            let number = Int32(names.count)
            names.append(Name(text: text, start: nameBytes.count, count: bytes.count))
            nameBytes.append(contentsOf: bytes)
            nameOfBytes[key] = number
            return .success(number)
        }
    }

    /// The list `node` with one more field, or `nil` when the list has a field of that name already.
    @inline(__always)
    mutating func child(of node: Int32, name: Int32, kind: ReadingValue.Kind) -> Int32? {
        let recent = nodes[Int(node)].recentChild
        if recent >= 0 {
            let candidate = nodes[Int(recent)]
            if candidate.name == name, candidate.kind == kind { return recent }
        }
        return findChild(of: node, name: name, kind: kind)
    }

    @inline(never)
    private mutating func findChild(of node: Int32, name: Int32, kind: ReadingValue.Kind) -> Int32? {
        let edge = Edge(parent: node, name: name, kind: kind)
        if let child = children[edge] {
            nodes[Int(node)].recentChild = child
            return child
        }
        var ancestor = node
        while ancestor > 0 {
            if nodes[Int(ancestor)].name == name { return nil }
            ancestor = nodes[Int(ancestor)].parent
        }
        let child = Int32(nodes.count)
        nodes.append(Node(parent: node, depth: nodes[Int(node)].depth + 1, name: name, kind: kind))
        children[edge] = child
        nodes[Int(node)].recentChild = child
        return child
    }

    /// The fields of a list, in order.
    func fields(of node: Int32) -> [(name: Int32, kind: ReadingValue.Kind)] {
        var fields: [(name: Int32, kind: ReadingValue.Kind)] = []
        var current = node
        while current > 0 {
            fields.append((nodes[Int(current)].name, nodes[Int(current)].kind))
            current = nodes[Int(current)].parent
        }
        return fields.reversed()
    }
}
