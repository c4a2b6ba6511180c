import VigilModel

/// The locations of one site as a tree.
///
/// Where a caller does not see a location, what they see below it stands one level higher.
struct LocationTree {
    private(set) var byID: [LocationID: Location] = [:]
    /// The children of each location, and under `nil` those at the top, in their order.
    private var children: [LocationID?: [Location]] = [:]

    init(_ locations: [Location]) {
        byID = Dictionary(uniqueKeysWithValues: locations.map { ($0.id, $0) })
        for location in locations {
            let parent = location.parent.flatMap { byID[$0]?.id }
            children[parent, default: []].append(location)
        }
        for parent in children.keys {
            children[parent]?.sort { ($0.position, $0.name, $0.id) < ($1.position, $1.name, $1.id) }
        }
    }

    func children(of parent: LocationID?) -> [Location] { children[parent] ?? [] }

    /// All locations, each before those below it, with depth and path.
    var preorder: [Location] {
        var result: [Location] = []
        result.reserveCapacity(byID.count)
        append(below: nil, depth: 0, path: [], to: &result)
        return result
    }

    private func append(below parent: LocationID?, depth: Int, path: [String], to result: inout [Location]) {
        for child in children(of: parent) {
            var location = child
            location.depth = depth
            location.path = path + [child.name]
            result.append(location)
            append(below: child.id, depth: depth + 1, path: path + [child.name], to: &result)
        }
    }

    /// A location and all below it.
    func subtree(of root: LocationID) -> Set<LocationID> {
        var found: Set = [root]
        var waiting = [root]
        while let next = waiting.popLast() {
            for child in children(of: next) where found.insert(child.id).inserted { waiting.append(child.id) }
        }
        return found
    }

    /// Levels from a location to the deepest below it: 0 for a leaf.
    func height(of root: LocationID) -> Int {
        1 + (children(of: root).map { height(of: $0.id) }.max() ?? -1)
    }

    /// Levels above a location: 0 at the top.
    func depth(of location: LocationID) -> Int {
        var depth = 0
        var current = byID[location]?.parent
        // A tree that is a cycle in the table would turn here for ever; no tree is higher than it has locations.
        while let parent = current, depth <= byID.count {
            depth += 1
            current = byID[parent]?.parent
        }
        return depth
    }
}
