import Synchronization
import VigilModel
import VigilPorts

/// The labels of what selectors found before, put in order: a page asks for the same series every few seconds.
///
/// They are kept with the identities that they were made of, and whatever a store finds is compared with those, so that
/// nothing kept is ever out of date.
final class KnownSelections: Sendable {
    /// Series that are not left out, by their labels.
    struct Selection: Sendable {
        fileprivate let identities: [SeriesIdentity]
        /// Where each lies in the store's answer.
        let places: [Int]
        let labels: [LabelSet]
    }

    private struct Known {
        var selections: [[LabelMatcher]: Selection] = [:]
        var series = 0
    }

    private let known = Mutex(Known())
    /// Series that are kept, with about a kilobyte each; past it all are forgotten.
    private static let seriesMax = 1 << 13
    /// The labels of fewer are made as fast as found; those of more would take the place of all others.
    private static let countsKept = 4...seriesMax / 8

    /// The labels of what a store found for some matchers.
    ///
    /// - Parameter isWanted: Tells which series are left out; it must follow from the matchers.
    func selection(
        _ matchers: [LabelMatcher], of found: [SeriesWindows], _ isWanted: (SeriesIdentity) -> Bool
    ) -> Selection {
        let isKept = Self.countsKept.contains(found.count)
        if isKept, let selection = known.withLock({ $0.selections[matchers] }), selection.isOf(found) {
            return selection
        }
        var writer = LabelWriter()
        var all: [(place: Int, labels: LabelSet)] = []
        all.reserveCapacity(found.count)
        for place in found.indices where isWanted(found[place].identity) {
            let labels = writer.labels(of: found[place].identity)
            all.append((place, isKept ? labels.kept() : labels))
        }
        all.sort { $0.labels < $1.labels }
        let selection = Selection(
            identities: isKept ? found.map(\.identity) : [], places: all.map(\.place), labels: all.map(\.labels))
        guard isKept else { return selection }
        known.withLock { known in
            if known.series + found.count > Self.seriesMax { known = Known() }
            let replaced = known.selections.updateValue(selection, forKey: matchers)
            known.series += found.count - (replaced?.identities.count ?? 0)
        }
        return selection
    }
}

extension KnownSelections.Selection {
    /// Whether these are the series that were found, in their order.
    fileprivate func isOf(_ found: [SeriesWindows]) -> Bool {
        identities.count == found.count && found.indices.allSatisfy { identities[$0] == found[$0].identity }
    }
}
