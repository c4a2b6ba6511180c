/// The bounds that one request must keep to.
///
/// Past them lines are refused; memory never grows with them.
package struct LineLimits: Sendable, Hashable {
    /// The longest line, its strings included.
    package var lineBytes = 256 * 1024
    /// The longest measurement with its tag set, as written.
    package var keyBytes = 8 * 1024
    package var tags = 64
    package var fields = 1024
    /// The longest field name, as written.
    package var fieldNameBytes = 256
    /// The longest string value, as written.
    package var textBytes = 64 * 1024
    /// Lines of one request; the rest of the request is refused as a whole.
    package var lines = 1_000_000
    /// How many refused lines are described; all of them are counted.
    package var problems = 100

    package init() {}
}
