import Dispatch

/// Threads for questions that compute for seconds without a pause.
///
/// On the threads that serve everything else, as many such questions as the machine has processors would keep everybody
/// waiting: writers, other readers, and the signal to stop.
final class QueryThreads: TaskExecutor {
    static let shared = QueryThreads()

    private let queue = DispatchQueue(label: "vigil.queries", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
