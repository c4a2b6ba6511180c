import Dispatch
import Foundation
import Synchronization

/// Threads for questions that compute for seconds without a pause.
///
/// On the threads that serve everything else, as many such questions as the machine has processors would keep everybody
/// waiting: writers, other readers, and the signal to stop. Those of Dispatch are the same ones.
final class QueryThreads: TaskExecutor {
    static let shared = QueryThreads(count: max(2, ProcessInfo.processInfo.activeProcessorCount))

    private struct Line {
        var jobs: [UnownedJob] = []
        /// The first that nobody has taken.
        var next = 0
    }

    private let line = Mutex(Line())
    /// Counts the jobs that nobody has taken.
    private let waiting = DispatchSemaphore(value: 0)

    init(count: Int) {
        for number in 0..<count {
            let thread = Thread { self.work() }
            thread.name = "vigil.query.\(number)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        line.withLock { $0.jobs.append(job) }
        waiting.signal()
    }

    private func work() {
        while true {
            waiting.wait()
            take()?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private func take() -> UnownedJob? {
        line.withLock { line in
            guard line.next < line.jobs.count else { return nil }
            let job = line.jobs[line.next]
            line.next += 1
            if line.next > 64, line.next * 2 > line.jobs.count {
                line.jobs.removeFirst(line.next)
                line.next = 0
            }
            return job
        }
    }
}
