/// What goes wrong, and what the server says to it.
struct Scenario {
    /// For file names.
    let key: String
    let name: String
    /// How the server is away.
    let outage: Outage
    /// What a server that has more than it can do adds to its 503, in seconds; `nil` is a 503 without `Retry-After`.
    let overloadRetryAfter: Int64?
    /// How the clients look after their reports.
    let habit: Habit
    /// Every client has its backlog from the first moment of the outage on, instead of over the hour.
    var isAllAtOnce = false

    enum Outage {
        /// Nobody listens.
        case refused
        /// A machine in front says 503, with or without a `Retry-After` in seconds.
        case unavailable(retryAfter: Int64?)
        /// It says when the outage will be over.
        case announced
    }

    enum Habit {
        /// A process that goes on (`Reporter.run`).
        case running
        /// A timer starts `submit` five minutes after its last end, and up to 30 s later.
        case timer
    }

    static let all: [Scenario] = [
        Scenario(key: "refused", name: "refused", outage: .refused, overloadRetryAfter: nil, habit: .running),
        Scenario(
            key: "503", name: "503", outage: .unavailable(retryAfter: nil), overloadRetryAfter: nil, habit: .running),
        Scenario(
            key: "503-after-60", name: "503, Retry-After: 60", outage: .unavailable(retryAfter: 60),
            overloadRetryAfter: 60, habit: .running),
        Scenario(
            key: "503-after-600", name: "503, Retry-After: 600", outage: .unavailable(retryAfter: 600),
            overloadRetryAfter: 60, habit: .running),
        Scenario(
            key: "announced", name: "503, Retry-After: the end", outage: .announced, overloadRetryAfter: 60,
            habit: .running),
        Scenario(
            key: "at-once", name: "refused, all at once", outage: .refused, overloadRetryAfter: nil, habit: .running,
            isAllAtOnce: true),
        Scenario(
            key: "at-once-after-60", name: "503, Retry-After: 60, all at once", outage: .unavailable(retryAfter: 60),
            overloadRetryAfter: 60, habit: .running, isAllAtOnce: true),
        Scenario(
            key: "at-once-announced", name: "503, Retry-After: the end, all at once", outage: .announced,
            overloadRetryAfter: 60, habit: .running, isAllAtOnce: true),
        Scenario(
            key: "timer-refused", name: "timers, refused", outage: .refused, overloadRetryAfter: nil, habit: .timer),
        Scenario(
            key: "timer-503-after-60", name: "timers, 503, Retry-After: 60", outage: .unavailable(retryAfter: 60),
            overloadRetryAfter: 60, habit: .timer),
    ]
}
