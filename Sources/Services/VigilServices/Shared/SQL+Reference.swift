import VigilModel
import VigilPorts

extension SQL {
    /// A condition on `id` and `code`: what a caller names by either.
    ///
    /// A text that is no identifier is never compared with one: PostgreSQL refuses to.
    static func named(_ reference: String) -> SQL {
        guard let id = EntryID(reference) else { return "code = \(reference)" }
        return "(id = \(id) OR code = \(reference))"
    }
}
