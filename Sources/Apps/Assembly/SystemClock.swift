import Foundation
package import VigilModel
import VigilPorts

/// The machine's clock.
package struct SystemClock: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package func wait(until deadline: Timestamp) async throws {
        // The wall clock may jump: look again at least every minute.
        while true {
            try Task.checkCancellation()
            let left = (deadline - now()).microseconds
            if left <= 0 { return }
            try await Task.sleep(for: .microseconds(min(left, 60_000_000)))
        }
    }
}
