/// A device as the directory knows it: the same object as long as nothing about the device has changed.
///
/// Paths that meet a device again and again keep what they derived from it beside the object, and look at its identity
/// instead of comparing its values.
package final class KnownDevice: Sendable {
    package let entry: DeviceEntry
    package let handler: ReadingHandler

    init(_ entry: DeviceEntry) {
        self.entry = entry
        handler = ReadingHandler(named: entry.handler)
    }
}
