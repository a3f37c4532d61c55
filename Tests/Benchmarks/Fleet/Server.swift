/// A server with a capacity, a short queue, and an outage.
struct Server {
    /// Microseconds of work in one request.
    private let cost: Int64
    private let scenario: Scenario
    private let outageEnd: Int64
    /// When it has done all that it has taken, in microseconds.
    private var busyUntil: Int64 = 0

    /// Longest wait in its queue, in microseconds; beyond that it says 503 at once.
    private static let patience: Int64 = 1_000_000

    enum Answer {
        case refused
        case accepted(afterMilliseconds: Int64)
        /// 503, perhaps with a wait in milliseconds.
        case unavailable(retryAfter: Int64?)
    }

    init(capacity: Double, scenario: Scenario, outageEnd: Int64) {
        cost = max(1, Int64(1_000_000 / capacity))
        self.scenario = scenario
        self.outageEnd = outageEnd
    }

    /// A request comes in, `now` milliseconds after the outage began.
    mutating func take(at now: Int64) -> Answer {
        guard now >= outageEnd else {
            switch scenario.outage {
            case .refused: return .refused
            case .unavailable(let seconds): return .unavailable(retryAfter: seconds.map { $0 * 1_000 })
            // In whole seconds, rounded up, as the field has it.
            case .announced: return .unavailable(retryAfter: (outageEnd - now + 999) / 1_000 * 1_000)
            }
        }
        let time = now * 1_000
        let start = max(busyUntil, time)
        guard start - time <= Self.patience else {
            return .unavailable(retryAfter: scenario.overloadRetryAfter.map { $0 * 1_000 })
        }
        busyUntil = start + cost
        return .accepted(afterMilliseconds: (busyUntil - time) / 1_000)
    }
}
