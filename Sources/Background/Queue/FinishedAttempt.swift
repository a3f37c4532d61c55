extension TransferQueue {
    /// An attempt that has ended, and what its client reports of it.
    struct FinishedAttempt: Sendable {
        let claim: Claim
        /// Where it went.
        let origin: String
        let report: AttemptReport
        /// Whether it alone was under way there at its end.
        let wasAlone: Bool

        /// What the ledger is to hold after it.
        func settlement(_ verdict: Verdict, cuts: CutAttempts, endedWall: Int64, acceptedMark: Int64) -> Settlement {
            Settlement(
                claim: claim, verdict: verdict, endedWall: endedWall, status: report.status, error: report.error,
                bytesSent: Int64(clamping: report.bytesSent), retryAfter: report.outcome.retryAfter,
                receipt: verdict.state.isLive ? nil : report.receipt, answer: report.answer?.text,
                acceptedMark: acceptedMark, cuts: cuts)
        }

        /// For logs.
        var summary: String { report.status.map { "\($0)" } ?? report.error ?? "" }
    }
}

extension OriginRecord {
    /// Keeps the origin's last trouble for people, and forgets it at the first success.
    mutating func note(_ report: AttemptReport, _ verdict: Verdict) {
        if verdict.state == .delivered {
            lastStatus = nil
            lastError = nil
            return
        }
        switch report.outcome {
        case .answer: lastStatus = report.status
        case .postponed(let status, _): lastStatus = status
        case .noAnswer(let trouble):
            guard trouble.concernsOrigin else { return }
            lastStatus = report.status
        }
        lastError = report.error
    }
}

extension AttemptOutcome {
    /// How long the server asks to wait, in milliseconds; `nil` when it does not.
    fileprivate var retryAfter: Int64? {
        switch self {
        case .answer(let judgement): judgement.retryAfter
        case .postponed(_, let retryAfter): retryAfter
        case .noAnswer: nil
        }
    }

    /// The server will not have anything as it is now, or we will not have the server.
    fileprivate var isHold: Bool {
        switch self {
        case .answer(let judgement): if case .hold = judgement.disposition { true } else { false }
        case .noAnswer(.untrusted): true
        case .postponed, .noAnswer: false
        }
    }

    /// The server is there and will not have this, or we will not have the server.
    var isRefusal: Bool {
        if case .answer(let judgement) = self, judgement.disposition == .rejected { return true }
        return isHold
    }
}

extension Verdict {
    static let cancelled = Verdict(.removed, reason: .ended(.cancelled))

    var isCancellation: Bool { state == .removed && reason == .ended(.cancelled) }

    /// With the caller as the retry's owner, an answer ends the caller's wait whatever it says, and a certificate
    /// that is not accepted will not be accepted by trying again.
    func handedBack(_ outcome: AttemptOutcome) -> Verdict {
        if outcome.isHold { return Verdict(.rejected, reason: reason, note: note) }
        if case .answer = outcome, state == .waiting || state == .held { return Verdict(.held, reason: .held(.caller)) }
        return self
    }
}
