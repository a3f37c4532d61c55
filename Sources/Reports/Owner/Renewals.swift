import Synchronization

/// When a run that lasts ends its owner and becomes the owner anew.
///
/// Some disagreements between files and ledger are mended only when a new owner compares all of them
/// (``Reconciliation``): a full disk has left a report in `queued/` without a row, or a file could not be moved. A short
/// run leaves that to the next run. After a run that lasts there may be no other for months.
///
/// To compare takes time, and stops what is being sent. So it is not done again soon where it has not helped, and it
/// waits for a moment in which nothing is being sent.
package final class Renewals: Sendable {
    private struct State {
        /// When the present owner began, on the boot clock in milliseconds.
        var beganAt: Int64 = 0
        /// How many owners have ended for this, one soon after the other.
        var count: Int64 = 0
        var isRenewing = false
        var hasRenewed = false
        var wantedSince: Int64?
    }

    private let state = Mutex(State())

    /// The time from an owner's beginning to its end, in milliseconds: 10 s, twice as long each time, and at most 6 h.
    static let shortestLife: Int64 = 10_000
    static let longestLife: Int64 = 6 * 3_600_000
    /// How long it waits at most for a moment in which nothing is being sent, in milliseconds: 1 h.
    static let longestPatience: Int64 = 3_600_000

    package init() {}

    private static func life(_ count: Int64) -> Int64 { min(shortestLife << min(count, 16), longestLife) }

    /// Notes that an owner begins. It has just compared files and ledger, if that was needed.
    package func begin(at now: Int64) {
        state.withLock { state in
            let wasShort = now - state.beganAt <= 2 * Self.life(state.count)
            state.count = state.isRenewing && wasShort ? state.count + 1 : 0
            (state.beganAt, state.isRenewing, state.wantedSince) = (now, false, nil)
        }
    }

    /// Whether an owner has ended for this, and the next one has not begun yet.
    package var isRenewing: Bool { state.withLock(\.isRenewing) }
    /// Whether any owner of this run has ended for this.
    var hasRenewed: Bool { state.withLock(\.hasRenewed) }

    /// How long it takes until the owner may end, in milliseconds; 0 if it may end now.
    package func wait(at now: Int64) -> Int64 {
        state.withLock { max(0, $0.beganAt + Self.life($0.count) - now) }
    }

    /// Asks whether the owner ends now, because a new one is needed. It has to end if the answer is `true`.
    package func mayEnd(at now: Int64, isSending: Bool) -> Bool {
        guard wait(at: now) == 0 else { return false }
        return state.withLock { state in
            let since = state.wantedSince ?? now
            state.wantedSince = since
            guard !isSending || now - since >= Self.longestPatience else { return false }
            (state.isRenewing, state.hasRenewed) = (true, true)
            return true
        }
    }
}
