/// What the engine knows about one origin (scheme, host, port), and how much it may send there now.
///
/// A closed gate keeps every transfer back, so that a dead or unwilling server costs a handful of requests however
/// many reports wait. Times are milliseconds on the ledger's axis (``LedgerClock``). The gate is stored with each
/// settlement, so that the schedule outlives the process.
package struct OriginGate: Hashable, Sendable {
    package enum Closure: Hashable, Sendable {
        /// Transport failures or server trouble; one probe when the time has come.
        case backingOff(until: Int64)
        /// The server named the time (Retry-After), or throttles. Nothing opens it earlier.
        case asked(until: Int64)
        /// Nothing but a change on either side helps; probed hourly and at each explicit submit.
        case held(HoldReason, nextProbe: Int64)
    }

    package private(set) var closure: Closure?
    /// The window: how many attempts may run to this origin at the same time, from 1 to ``RetryPolicy/maximumWindow``.
    package private(set) var window: Int
    /// Failures in a row that were the origin's.
    package private(set) var failures: Int
    /// How many transfers the origin has accepted so far; only differences mean something.
    package private(set) var accepted: Int64
    package private(set) var rejectionsInARow: Int
    package private(set) var refusalsInARow: Int
    /// One more probe may go at once, with another transfer than the one that failed.
    private var hasSecondOpinion = false
    /// One probe of an explicit submit.
    private var hasExplicitProbe = false
    /// When the gate closed last; attempts begun before do not count twice.
    private var closedAt: Int64 = .min

    package static let initialWindow = 4
    package static let rejectionLimit = 5
    package static let probeInterval: Int64 = 3_600_000

    package init(
        closure: Closure? = nil, window: Int = Self.initialWindow, failures: Int = 0, accepted: Int64 = 0,
        rejectionsInARow: Int = 0, refusalsInARow: Int = 0
    ) {
        self.closure = closure
        self.window = window
        self.failures = failures
        self.accepted = accepted
        self.rejectionsInARow = rejectionsInARow
        self.refusalsInARow = refusalsInARow
    }

    // MARK: - Asking

    /// How many more transfers may start now.
    package func allowance(at now: Int64, inFlight: Int, maximum: Int) -> Int {
        guard closure != nil else { return max(0, min(window, maximum) - inFlight) }
        return inFlight == 0 && mayProbe(at: now) ? 1 : 0
    }

    private func mayProbe(at now: Int64) -> Bool {
        switch closure {
        case nil: true
        case .backingOff(let until): now >= until || hasSecondOpinion || hasExplicitProbe
        case .asked(let until): now >= until
        case .held(_, let nextProbe): now >= nextProbe || hasExplicitProbe
        }
    }

    /// Whether a probe may be made of a transfer that is held or not due yet. A second opinion may not: all that is not
    /// due may be the very transfer that failed.
    package func mayProbeWithOthers(at now: Int64) -> Bool {
        if case .backingOff(let until) = closure { now >= until || hasExplicitProbe } else { closure != nil }
    }

    /// When the gate opens, or may be probed, by the passing of time; `nil` when it is open.
    package var opensAt: Int64? {
        switch closure {
        case nil: nil
        case .backingOff(let until), .asked(let until): until
        case .held(_, let nextProbe): nextProbe
        }
    }

    package var holdReason: HoldReason? {
        if case .held(let reason, _) = closure { reason } else { nil }
    }

    // MARK: - Telling

    /// An explicit submit begins: closed by failure or for a reason, the gate may be probed once.
    package mutating func allowExplicitProbe() {
        hasExplicitProbe = true
    }

    /// Somebody asks for a try while the queue is at work: closed by failure or for a reason, the gate may be probed from
    /// now on. Unlike ``allowExplicitProbe()``, this can be stored, so that readers know of the probe until it is made.
    /// A time that the server named stands.
    package mutating func makeProbeDue(at now: Int64) {
        switch closure {
        case .backingOff(let until): closure = .backingOff(until: min(until, now))
        case .held(let reason, let nextProbe): closure = .held(reason, nextProbe: min(nextProbe, now))
        case .asked, nil: break
        }
    }

    /// Transfers start. A probe uses up what allowed it.
    package mutating func started(at now: Int64) {
        hasSecondOpinion = false
        hasExplicitProbe = false
        guard case .held(let reason, let nextProbe) = closure, now >= nextProbe else { return }
        closure = .held(reason, nextProbe: now + Self.probeInterval)
    }

    /// - Returns: whether a gate closed by failure or for a reason has opened.
    package mutating func acceptedOne(at now: Int64, maximumWindow: Int) -> Bool {
        accepted += 1
        failures = 0
        rejectionsInARow = 0
        refusalsInARow = 0
        // An answer to an earlier request does not take back what the server asked for later.
        guard !isAsked(at: now) else { return false }
        let wasClosed = closure != nil
        closure = nil
        window = min(maximumWindow, wasClosed ? max(2, window) : window + 1)
        return wasClosed
    }

    /// The origin failed an attempt: closes until a probe is due, after the delay for so many failures in a row.
    ///
    /// An attempt that began before the gate closed is part of the same failure. Where bytes were sent the origin is
    /// there, and the transfer may be at fault: another one is tried at once.
    package mutating func failed(startedAt: Int64, at now: Int64, sentBytes: Bool, delay: (Int) -> Int64) {
        window = 1
        // A time the server named stands until it has passed; the probe after it fails like any other.
        guard !isAsked(at: now), startedAt >= closedAt else { return }
        failures += 1
        hasSecondOpinion = sentBytes && failures == 1
        close(.backingOff(until: now + delay(failures)), at: now)
    }

    /// The server named a time or throttles.
    package mutating func asked(startedAt: Int64, at now: Int64, delay: (Int) -> Int64) -> Int64 {
        window = 1
        if startedAt >= closedAt { failures += 1 }
        var until = now + delay(failures)
        if case .asked(let earlier) = closure { until = max(until, earlier) }
        close(.asked(until: until), at: now)
        return until
    }

    /// The server is well, and names a time before which nothing more is to come.
    /// - Returns: when it may be sent to again.
    package mutating func rest(until time: Int64, at now: Int64) -> Int64 {
        var until = time
        if case .asked(let earlier) = closure { until = max(until, earlier) }
        close(.asked(until: until), at: now)
        return until
    }

    /// The answer says that nothing sent there will be accepted before something changes.
    package mutating func hold(_ reason: HoldReason, at now: Int64) {
        window = 1
        // An explicit probe opens a hold, but nothing opens a time the server named.
        guard !isAsked(at: now) else { return }
        close(.held(reason, nextProbe: now + Self.probeInterval), at: now)
    }

    /// - Returns: whether the rejection is believed to be about the transfer, not about the endpoint.
    package mutating func rejectedOne(at now: Int64) -> Bool {
        if holdReason == .rejecting {
            hold(.rejecting, at: now)
            return false
        }
        rejectionsInARow += 1
        if rejectionsInARow >= Self.rejectionLimit {
            hold(.rejecting, at: now)
        } else if holdReason != nil || isBackingOff {
            // It answered, and the answer was about the transfer.
            closure = nil
            failures = 0
        }
        return true
    }

    /// Held for a reason of its own, as by 403; several in a row close the gate.
    package mutating func refusedOne(_ reason: HoldReason, at now: Int64) {
        refusalsInARow += 1
        if refusalsInARow >= Self.rejectionLimit { hold(reason, at: now) }
    }

    /// It answered, and what the answer means is for somebody else to say: the origin is there, and that is all.
    /// - Returns: whether a closed gate has opened.
    package mutating func answered(at now: Int64) -> Bool {
        rejectionsInARow = 0
        refusalsInARow = 0
        guard !isAsked(at: now) else { return false }
        defer { closure = nil }
        failures = 0
        return closure != nil
    }

    private func isAsked(at now: Int64) -> Bool {
        if case .asked(let until) = closure { now < until } else { false }
    }

    private var isBackingOff: Bool {
        if case .backingOff = closure { true } else { false }
    }

    private mutating func close(_ closure: Closure, at now: Int64) {
        self.closure = closure
        closedAt = now
    }
}
