import NIOCore

/// Runs tasks on the thread of an event loop.
///
/// A connection's task lives there, so that a request goes from its bytes to its answer without changing threads, which
/// costs more than most requests do. What may take long, or wait for a disk, goes to the shared threads: every endpoint
/// that does not say of itself that it is quick (``VigilInterface/Endpoint/isQuick``).
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        loop.execute { job.runSynchronously(on: executor) }
    }
}
