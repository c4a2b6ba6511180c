import VigilModel

/// Where a location is to stand: its site, what is above it, and its place among its siblings.
struct LocationPlace {
    let site: SiteID
    let parent: LocationID?
    let position: Int
    /// Whether the siblings from `position` on have to make room.
    let shifts: Bool

    /// Finds the place for a new location, or for one that moves.
    ///
    /// - Parameters:
    ///   - moving: The location that moves, with everything below it.
    ///   - index: The wished place among the siblings; last when `nil`.
    ///   - tree: All locations of the target site.
    /// - Throws: `conflict` with `location.cycle` or `location.depth`.
    init(
        moving: Location?, height: Int, subtree: Set<LocationID>, site: SiteID, parent: LocationID?, index: Int?,
        tree: LocationTree, limits: RegistryLimits
    ) throws(ServiceError) {
        if let parent, subtree.contains(parent) {
            throw ServiceError(.conflict, "location.cycle", "A location cannot be moved below itself.")
        }
        let depth = parent.map { tree.depth(of: $0) + 1 } ?? 0
        guard depth + height < limits.locationDepthMax else {
            throw ServiceError(
                .conflict, "location.depth", "Locations are nested at most \(limits.locationDepthMax) deep.")
        }
        let arriving = moving?.site == site ? 0 : subtree.count
        guard tree.byID.count + max(arriving, moving == nil ? 1 : 0) <= limits.locationsPerSiteMax else {
            throw ServiceError(
                .conflict, "limit.reached", "A site has at most \(limits.locationsPerSiteMax) locations.")
        }
        if let index, index < 0 { throw .invalid("position", "must be 0 or more", code: "request.field") }
        let siblings = tree.children(of: parent).filter { $0.id != moving?.id }
        self.site = site
        self.parent = parent
        if let index, index < siblings.count {
            position = siblings[index].position
            shifts = true
        } else {
            position = (siblings.last?.position ?? -1) + 1
            shifts = false
        }
    }
}
