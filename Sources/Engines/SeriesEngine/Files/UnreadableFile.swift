import VigilModel
import VigilPorts

/// A file that the start found too damaged to open.
///
/// The store goes on without it and takes no writes; a question that would need it is answered by its damage.
struct UnreadableFile: Sendable {
    /// From when up to when its readings are.
    let stretch: (start: Int64, end: Int64)
    let error: StoreError
}

extension Sequence<UnreadableFile> {
    /// - Throws: The damage of the first file that holds readings of this time.
    func check(_ range: TimeRange) throws(StoreError) {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        for file in self where start < file.stretch.end && file.stretch.start < end { throw file.error }
    }
}
