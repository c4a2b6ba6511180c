/// What an ``Identifier`` can name.
///
/// None of these has a value: they only keep identifiers apart.
package enum Named {
    package enum Tenant {}
    package enum User {}
    package enum Membership {}
    package enum Role {}
    package enum Session {}
    package enum Token {}
    package enum Panel {}
    package enum Site {}
    package enum Location {}
    package enum Profile {}
    package enum Device {}
    package enum Rule {}
    package enum Alert {}
    package enum Job {}
    package enum Entry {}
}

/// The organisation or household that owns everything below it.
package typealias TenantID = Identifier<Named.Tenant>
package typealias UserID = Identifier<Named.User>
package typealias MembershipID = Identifier<Named.Membership>
package typealias RoleID = Identifier<Named.Role>
package typealias SessionID = Identifier<Named.Session>
/// A panel on a wall, where people sign in with a PIN.
package typealias PanelID = Identifier<Named.Panel>
/// An API token or a device credential.
package typealias TokenID = Identifier<Named.Token>
package typealias SiteID = Identifier<Named.Site>
package typealias LocationID = Identifier<Named.Location>
package typealias ProfileID = Identifier<Named.Profile>
package typealias DeviceID = Identifier<Named.Device>
package typealias RuleID = Identifier<Named.Rule>
package typealias AlertID = Identifier<Named.Alert>
package typealias JobID = Identifier<Named.Job>
/// A row of a journal: audit, history, log.
package typealias EntryID = Identifier<Named.Entry>
