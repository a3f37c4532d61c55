/// What one attempt came to, as far as the schedule is concerned.
package enum AttemptOutcome: Hashable, Sendable {
    case answer(Judgement)
    /// The server has a part of it, and asks to wait before the next. `retryAfter` in milliseconds.
    case postponed(status: Int, retryAfter: Int64)
    case noAnswer(NoAnswer)
}

/// The new schedule of a transfer after an attempt. Pure: the store writes it, nothing else.
package struct Verdict: Hashable, Sendable {
    package var state: TransferState
    package var reason: TransferReason?
    /// What is particular to this transfer, in a sentence for people.
    package var note: String?
    /// On the ledger's axis; `nil` when no time brings it on.
    package var due: Int64?
    /// Counts against the transfer's own budget.
    package var isCharged = false
    /// Failures of this transfer in a row.
    package var failures = 0
    /// The origin accepts again: what waited only for that is due now.
    package var reopensOrigin = false

    /// Whether the attempt did not come to its end: the queue has stopped it.
    package var isInterruption: Bool { reason == .waiting(.interrupted) || reason == .waiting(.deadline) }

    package init(_ state: TransferState, reason: TransferReason? = nil, note: String? = nil, due: Int64? = nil) {
        self.state = state
        self.reason = reason
        self.note = note
        self.due = due
    }

    /// The verdict on a transfer that the server may have: neither another delivery there nor an explicit submit brings
    /// it on before the time.
    fileprivate func resting(until time: Int64) -> Verdict {
        var verdict = self
        switch (state, due) {
        case (.waiting, let due):
            verdict.due = max(due ?? time, time)
            if reason == .waiting(.unreachable) { verdict.reason = .waiting(.unanswered) }
        case (.held, let due?):
            // What is held may be a probe in the last two intervals before it is due, and not earlier.
            verdict.due = max(due, time + 2 * OriginGate.probeInterval)
        default: break
        }
        return verdict
    }
}

/// One attempt to be judged. All times are milliseconds on the ledger's axis.
package struct AttemptFacts: Hashable, Sendable {
    package var startedAt: Int64
    package var now: Int64
    package var enrolledAt: Int64
    package var charged: Int
    package var failures: Int
    /// The gate's ``OriginGate/accepted`` when this transfer was last settled, or first claimed.
    package var acceptedMark: Int64

    package init(
        startedAt: Int64, now: Int64, enrolledAt: Int64, charged: Int, failures: Int, acceptedMark: Int64
    ) {
        self.startedAt = startedAt
        self.now = now
        self.enrolledAt = enrolledAt
        self.charged = charged
        self.failures = failures
        self.acceptedMark = acceptedMark
    }
}

extension RetryPolicy {
    /// Decides what becomes of a transfer and of its origin's gate after an attempt.
    package func verdict(
        on outcome: AttemptOutcome, _ facts: AttemptFacts, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        switch outcome {
        case .answer(let judgement):
            let verdict = verdict(on: judgement, facts, gate: &gate, using: &generator)
            return judgement.rest.map { verdict.resting(until: facts.now + $0) } ?? verdict
        case .postponed(_, let retryAfter):
            return postponedVerdict(facts, retryAfter: retryAfter, gate: &gate, using: &generator)
        case .noAnswer(let trouble):
            return verdict(on: trouble, facts, gate: &gate, using: &generator)
        }
    }

    private func verdict(
        on trouble: NoAnswer, _ facts: AttemptFacts, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        switch trouble {
        case .interrupted:
            return Verdict(.waiting, reason: .waiting(.interrupted), due: facts.now)
        case .localTrouble(let text):
            return ownVerdict(facts, .local, note: text, using: &generator)
        case .unprepared(let text):
            return ownVerdict(facts, .headers, note: text, using: &generator)
        case .unsendable(let text):
            return Verdict(.rejected, reason: .ended(.unsendable), note: text)
        case .failedRead:
            return itemVerdict(facts, retryAfter: nil, failing: "to be read", using: &generator)
        case .missing:
            return Verdict(.removed, reason: .ended(.bytesMissing))
        case .withheld:
            return Verdict(.held, reason: .held(.caller))
        case .notAdmitted(let text):
            return Verdict(.held, reason: .held(.route), note: text)
        case .untrusted:
            gate.hold(.tls, at: facts.now)
            return Verdict(.held, reason: .held(.tls))
        case .failure(let failure) where failure.isInterruption:
            return Verdict(.waiting, reason: .waiting(.unanswered), due: facts.now + (failure.rest ?? 0))
        case .failure(let failure):
            let verdict = failureVerdict(facts, sentBytes: failure.didConnect, gate: &gate, using: &generator)
            return failure.rest.map { verdict.resting(until: facts.now + $0) } ?? verdict
        }
    }

    private func verdict(
        on judgement: Judgement, _ facts: AttemptFacts, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let retryAfter = judgement.retryAfter
        switch judgement.disposition {
        case .delivered:
            var verdict = Verdict(.delivered)
            verdict.reopensOrigin = gate.acceptedOne(at: facts.now, maximumWindow: maximumWindow)
            // No time at all is nothing to wait for: a server that says so each time must not be sent one a second.
            if let retryAfter, retryAfter > 0 { rest(retryAfter, facts, gate: &gate, using: &generator) }
            return verdict
        case .rejected:
            obey(retryAfter, facts, gate: &gate, using: &generator)
            guard judgement.isOfOneTransfer || gate.rejectedOne(at: facts.now) else {
                return Verdict(.held, reason: .held(.rejecting))
            }
            return Verdict(.rejected, reason: .ended(judgement.rejection))
        case .hold(let reason):
            obey(retryAfter, facts, gate: &gate, using: &generator)
            var verdict = holdVerdict(reason, facts, gate: &gate)
            // The code alone does not say to which address, or what is wrong with this one.
            if [.redirect, .portal, .destination, .clock].contains(reason) { verdict.note = judgement.note }
            return verdict
        case .wait:
            obey(retryAfter, facts, gate: &gate, using: &generator)
            return itemVerdict(facts, retryAfter: retryAfter, using: &generator)
        case .notNow where judgement.throttles:
            return askedVerdict(facts, retryAfter: retryAfter, gate: &gate, using: &generator)
        case .notNow:
            return failureVerdict(facts, sentBytes: true, gate: &gate, using: &generator)
        }
    }

    /// A time the server names closes the gate until then, whatever else the answer says.
    private func obey(
        _ retryAfter: Int64?, _ facts: AttemptFacts, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let retryAfter else { return }
        _ = gate.asked(startedAt: facts.startedAt, at: facts.now) { failures in
            delay(failures: max(1, failures), retryAfter: retryAfter, using: &generator)
        }
    }

    /// The same for a server that is well and wants a rest: no failure of its.
    @discardableResult
    private func rest(
        _ retryAfter: Int64, _ facts: AttemptFacts, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Int64 {
        gate.rest(until: facts.now + delay(failures: 1, retryAfter: retryAfter, using: &generator), at: facts.now)
    }

    private func postponedVerdict(
        _ facts: AttemptFacts, retryAfter: Int64, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let due = rest(retryAfter, facts, gate: &gate, using: &generator)
        return givingUpIfOld(Verdict(.waiting, reason: .waiting(.retryAfter), due: due), facts)
    }

    /// This machine's own trouble is nobody's fault: neither charged nor a reason to spare the origin or to give up. It
    /// may last, so that the waits grow.
    private func ownVerdict(
        _ facts: AttemptFacts, _ reason: WaitReason, note: String,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let failures = facts.failures + 1
        let wait = delay(failures: failures, retryAfter: nil, using: &generator)
        var verdict = Verdict(.waiting, reason: .waiting(reason), note: note, due: facts.now + wait)
        verdict.failures = failures
        return verdict
    }

    private func holdVerdict(_ reason: HoldReason, _ facts: AttemptFacts, gate: inout OriginGate) -> Verdict {
        guard reason.closesOrigin else {
            gate.refusedOne(reason, at: facts.now)
            return Verdict(.held, reason: .held(reason), due: facts.now + OriginGate.probeInterval)
        }
        gate.hold(reason, at: facts.now)
        return Verdict(.held, reason: .held(reason))
    }

    /// Charged to the origin, unless it accepted something else since this transfer's last attempt.
    private func failureVerdict(
        _ facts: AttemptFacts, sentBytes: Bool, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        if gate.accepted > facts.acceptedMark {
            return itemVerdict(facts, retryAfter: nil, using: &generator)
        }
        gate.failed(startedAt: facts.startedAt, at: facts.now, sentBytes: sentBytes) { failures in
            delay(failures: failures, retryAfter: nil, using: &generator)
        }
        let due = max(gate.opensAt ?? facts.now, facts.now)
        return givingUpIfOld(Verdict(.waiting, reason: .waiting(.unreachable), due: due), facts)
    }

    /// The server's time is about the server, so nobody is charged: a throttled report must not run out of tries.
    private func askedVerdict(
        _ facts: AttemptFacts, retryAfter: Int64?, gate: inout OriginGate,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let due = gate.asked(startedAt: facts.startedAt, at: facts.now) { failures in
            delay(failures: max(1, failures), retryAfter: retryAfter, using: &generator)
        }
        return givingUpIfOld(Verdict(.waiting, reason: .waiting(.retryAfter), due: due), facts)
    }

    private func itemVerdict(
        _ facts: AttemptFacts, retryAfter: Int64?, failing way: String = "while others were accepted",
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let failures = facts.failures + 1
        let wait = delay(failures: failures, retryAfter: retryAfter, using: &generator)
        var verdict = Verdict(.waiting, reason: .waiting(.failing), due: facts.now + wait)
        verdict.isCharged = true
        verdict.failures = failures
        if facts.charged + 1 >= maximumCharges {
            verdict.state = .exhausted
            verdict.reason = .ended(.failedTooOften)
            verdict.note = "failed \(facts.charged + 1) times \(way)"
            verdict.due = nil
            return verdict
        }
        return givingUpIfOld(verdict, facts)
    }

    private func givingUpIfOld(_ verdict: Verdict, _ facts: AttemptFacts) -> Verdict {
        guard facts.now - facts.enrolledAt >= maximumAge else { return verdict }
        var verdict = verdict
        verdict.state = .exhausted
        verdict.reason = .ended(.notAccepted)
        verdict.note = "not accepted for \(maximumAge / 86_400_000) days"
        verdict.due = nil
        return verdict
    }
}
