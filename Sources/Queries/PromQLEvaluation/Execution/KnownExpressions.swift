import PromQL
import Synchronization
import VigilModel
import VigilPorts

/// What queries mean that were read before: a page asks the same ones every few seconds.
final class KnownExpressions: Sendable {
    private let known = Mutex<[String: Expression]>([:])
    /// Queries that are kept; past it everything is read anew.
    private static let countMax = 1000
    /// Longer ones are read each time.
    private static let bytesMax = 1024

    /// - Throws: What the parser says of a query that is none.
    func expression(_ query: String) throws(QueryError) -> Expression {
        if let expression = known.withLock({ $0[query] }) { return expression }
        let expression: Expression
        do throws(SyntaxError) { expression = try Parser.parse(query) } catch { throw QueryError(error) }
        guard query.utf8.count <= Self.bytesMax else { return expression }
        known.withLock { known in
            if known.count >= Self.countMax { known.removeAll(keepingCapacity: true) }
            known[query] = expression
        }
        return expression
    }

    let selections = KnownSelections()

    // MARK: - Devices

    /// What matchers name devices by: long lists of identifiers, which cost more to read than their series to find.
    private let choices = Mutex<[LabelMatcher: Set<DeviceID>?]>([:])

    /// The devices that a matcher on the device lets through, where it names them; texts that are no identifiers name none.
    func devices(namedBy matcher: LabelMatcher) -> Set<DeviceID>? {
        if let known = choices.withLock({ $0[matcher] }) { return known }
        let devices = SelectorLoader.literals(of: matcher).map { Set($0.compactMap { DeviceID($0) }) }
        guard matcher.value.utf8.count <= Self.bytesMax else { return devices }
        choices.withLock { choices in
            if choices.count >= Self.countMax { choices.removeAll(keepingCapacity: true) }
            choices[matcher] = .some(devices)
        }
        return devices
    }
}
