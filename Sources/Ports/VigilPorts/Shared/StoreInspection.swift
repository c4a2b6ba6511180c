/// Something that a store knows of itself, for `vigil doctor`.
package struct StoreFact: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Codable {
        case ok
        /// Works, and should be looked at.
        case warning
        case problem
    }

    /// `relational`, `series`, `disk`, `configuration`, ….
    package var area: String
    package var name: String
    package var value: String
    package var state: State

    package init(_ area: String, _ name: String, _ value: String, _ state: State = .ok) {
        self.area = area
        self.name = name
        self.value = value
        self.state = state
    }
}

/// A store that can look at itself thoroughly.
package protocol StoreInspecting: Sendable {
    /// What it is and holds, and everything that is wrong with it. May read all of its files, while others work.
    func inspection() async throws -> [StoreFact]

    /// The first damage that was met since the store was opened.
    var knownDamage: StoreError? { get }

    /// What was put right when the store was opened, and what somebody should look at; costs nothing.
    var remarks: [StoreFact] { get }
}

extension StoreInspecting {
    package var knownDamage: StoreError? { nil }
    package var remarks: [StoreFact] { [] }
}
