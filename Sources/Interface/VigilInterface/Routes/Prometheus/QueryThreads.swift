import Foundation

/// Threads for questions that compute for seconds without a pause.
///
/// On the threads that serve everything else, as many such questions as the machine has processors would keep everybody
/// waiting: writers, other readers, and the signal to stop. Those of Dispatch are the same ones.
final class QueryThreads: TaskExecutor, @unchecked Sendable {
    static let shared = QueryThreads(count: max(2, ProcessInfo.processInfo.activeProcessorCount))

    private let condition = NSCondition()
    // Only touched while the condition is locked.
    private var jobs: [UnownedJob] = []
    private var next = 0

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
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    private func work() {
        while true { take().runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func take() -> UnownedJob {
        condition.withLock {
            while next == jobs.count { condition.wait() }
            defer { next += 1 }
            let job = jobs[next]
            if next > 64, next * 2 > jobs.count {
                jobs.removeFirst(next)
                next = 0
            }
            return job
        }
    }
}
