import Synchronization
import VigilPorts

/// What one question may still read and make, shared by the tasks that answer it.
final class QueryBudget: Sendable {
    private let samples: Atomic<Int>
    private let windows: Atomic<Int>
    private let isStopped = Atomic(false)

    init(samples: Int, windows: Int) {
        self.samples = Atomic(samples)
        self.windows = Atomic(windows)
    }

    func takeSamples(_ count: Int) throws(StoreError) {
        guard samples.subtract(count, ordering: .relaxed).newValue >= 0 else {
            throw StoreError(.limit, "the question reads too many samples")
        }
    }

    func takeWindows(_ count: Int) throws(StoreError) {
        guard windows.subtract(count, ordering: .relaxed).newValue >= 0 else {
            throw StoreError(.limit, "the question makes too many windows")
        }
    }

    /// Ends the other tasks of the question.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// - Throws: `timeout` when nobody waits for the answer any more.
    func check() throws(StoreError) {
        if isStopped.load(ordering: .relaxed) || Task.isCancelled {
            throw StoreError(.timeout, "the question was cancelled")
        }
    }
}
