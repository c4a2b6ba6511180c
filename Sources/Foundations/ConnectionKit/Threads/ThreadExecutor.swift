import Foundation
import Synchronization

/// A serial executor with a thread of its own, for an actor whose calls block.
///
/// A library that waits in `poll` or `read` must not do so on the cooperative pool, which has one thread per core: a
/// few slow servers would stop everything else. Jobs run in the order in which they arrive. The thread ends after
/// ``stop()``, once what was queued has run.
package final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    // Unchecked: `jobs` and `state` are only touched while `condition` is held.
    private enum State { case running, stopping, ended }
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var state = State.running

    /// Starts the thread.
    /// - Parameter name: What debuggers and `top -H` show; at most 15 bytes are kept.
    package init(name: String) {
        let thread = Thread { [self] in run() }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        let ended = state == .ended
        if !ended {
            jobs.append(job)
            condition.signal()
        }
        condition.unlock()
        // A call that comes after the end still needs a thread to be refused on.
        if ended { Thread.detachNewThread { [self] in job.runSynchronously(on: asUnownedSerialExecutor()) } }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Lets the thread end when nothing is left to do.
    ///
    /// Calling it again is no error.
    package func stop() {
        condition.lock()
        if state == .running { state = .stopping }
        condition.signal()
        condition.unlock()
    }

    private func run() {
        var batch: [UnownedJob] = []
        while true {
            condition.lock()
            while jobs.isEmpty, state == .running { condition.wait() }
            if jobs.isEmpty {
                state = .ended
                condition.unlock()
                return
            }
            swap(&batch, &jobs)
            condition.unlock()
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
