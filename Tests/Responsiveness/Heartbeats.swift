import Synchronization

/// Tasks that wake each 5 ms, as those of a server do, and note how late they were.
final class Heartbeats: Sendable {
    private static let interval = Duration.milliseconds(5)
    private let delays = Mutex<[Duration]>([])

    /// Runs the body beside them.
    func beat<Result: Sendable>(tasks: Int, during body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks { group.addTask { await self.beat() } }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func beat() async {
        while !Task.isCancelled {
            let due = ContinuousClock.now + Self.interval
            try? await Task.sleep(until: due, clock: .continuous)
            let delay = ContinuousClock.now - due
            if !Task.isCancelled { delays.withLock { $0.append(delay) } }
        }
    }

    /// How many there were, and the delays in milliseconds: the median, the 95th percentile and the largest.
    var summary: String {
        let sorted = delays.withLock { $0.sorted() }
        func milliseconds(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * share)] / .milliseconds(1)
        }
        return "count=\(sorted.count) median=\(milliseconds(0.5)) p95=\(milliseconds(0.95)) max=\(milliseconds(1))"
    }
}
