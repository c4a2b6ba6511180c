import VigilModel

/// Finds the layout of a source and a list of fields by the identity of the two objects, without looking into them.
///
/// It keeps the objects alive, so that their identities stay their own.
struct LayoutTable {
    private struct Key: OpenTableKey {
        let objects: ObjectPair
        let tenant: TenantID
        let hasQuality: Bool

        /// One object is mostly of one tenant, and mostly marked always or never.
        var mixed: Int { objects.mixed }

        init(_ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID, _ hasQuality: Bool) {
            objects = ObjectPair(ObjectIdentifier(source), ObjectIdentifier(shape))
            self.tenant = tenant
            self.hasQuality = hasQuality
        }
    }

    private var layouts = OpenTable<Key, RowLayout>()
    private var kept: [(SeriesSource, RowShape)] = []

    /// Past this many, everything is forgotten, and found again by content.
    static let countMax = 1 << 18
    var count: Int { layouts.count }

    func find(_ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID, hasQuality: Bool) -> RowLayout? {
        layouts[Key(source, shape, tenant, hasQuality)]
    }

    /// Adds a layout that is not there yet.
    mutating func add(_ layout: RowLayout, _ source: SeriesSource, _ shape: RowShape, _ tenant: TenantID) {
        layouts.put(layout, for: Key(source, shape, tenant, layout.hasQuality))
        kept.append((source, shape))
    }
}
