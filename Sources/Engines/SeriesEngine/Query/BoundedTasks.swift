import Synchronization
import VigilPorts

/// Does the parts of a question on several cores.
enum BoundedTasks {
    private final class Counter: Sendable {
        private let value = Atomic(0)
        func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
    }

    /// Each task takes so many shares, so that none waits long for another.
    private static let sharesPerTask = 8

    /// What `body` makes of places 0 to `count`, share by share in their order; at most `width` are under way at once.
    ///
    /// Whoever asks may serve connections on this thread: what takes long runs on the shared threads.
    static func map<Part: Sendable>(
        _ count: Int, width: Int, isShort: Bool, _ budget: QueryBudget,
        _ body: @escaping @Sendable (Range<Int>) async throws(StoreError) -> Part
    ) async throws(StoreError) -> [Part] {
        if count == 0 { return [] }
        if isShort { return [try await body(0..<count)] }
        let share = max(1, count / (width * Self.sharesPerTask))
        let shares = (count + share - 1) / share
        let counter = Counter()
        let all = await withTaskGroup(of: Result<[(Int, Part)], StoreError>.self) { tasks in
            for _ in 0..<min(width, shares) {
                tasks.addTask(executorPreference: globalConcurrentExecutor) {
                    var own: [(Int, Part)] = []
                    do throws(StoreError) {
                        while true {
                            let index = counter.next()
                            if index >= shares { return .success(own) }
                            let places = index * share..<min(count, (index + 1) * share)
                            own.append((index, try await body(places)))
                        }
                    } catch {
                        budget.stop()
                        return .failure(error)
                    }
                }
            }
            var all: [Result<[(Int, Part)], StoreError>] = []
            for await part in tasks { all.append(part) }
            return all
        }
        // The first failure is the cause: those that came later were stopped by it.
        let failures = all.compactMap { if case .failure(let error) = $0 { error } else { nil } }
        if let failure = failures.first(where: { $0.code != .timeout }) ?? failures.first { throw failure }
        var parts: [(Int, Part)] = []
        for part in all { parts += try part.get() }
        return parts.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
