/// How often an intake looks when its looks take long, because there are many sources: they take at most a tenth of the
/// time. A run begins with two seconds of that time, and what it does not need, it keeps for a minute.
struct LookPace {
    /// Until when the looks so far have used their share up, on the boot clock in milliseconds.
    private var usedUntil: Int64

    private static let share: Int64 = 10
    private static let freeTime: Int64 = 2_000
    /// How much time is kept at most, in milliseconds. Without this limit, a day of rest would allow hours of looks
    /// without a pause.
    private static let keptTime: Int64 = 60_000

    init(startedAt: Int64) { usedUntil = startedAt - Self.freeTime }

    /// Notes that a look has taken so many milliseconds, and ends now.
    mutating func note(_ time: Int64, at now: Int64) {
        usedUntil = max(usedUntil, now - Self.keptTime) + time * Self.share
    }

    /// How long to wait at least before the next look, in milliseconds.
    func rest(at now: Int64) -> Int64 { max(0, usedUntil - now) }
}
