import VigilModel

/// The series of one group that a question asks for, with what the group held at one moment.
struct PlannedGroup: Sendable {
    let group: SourceGroup
    let entries: [SeriesEntry]
    var snapshot: SeriesMemory.Snapshot
}
