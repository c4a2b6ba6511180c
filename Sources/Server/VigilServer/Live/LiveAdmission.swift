package import VigilServices

/// Somebody who may listen, before the connection is theirs.
package struct LiveAdmission: Sendable {
    package let hub: LiveHub
    package let principal: Principal

    package init(hub: LiveHub, principal: Principal) {
        self.hub = hub
        self.principal = principal
    }
}
