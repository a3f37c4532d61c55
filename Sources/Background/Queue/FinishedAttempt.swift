extension TransferQueue {
    /// An attempt that has ended, with the report of the client about it.
    struct FinishedAttempt: Sendable {
        let claim: Claim
        /// The origin to which the transfer was sent.
        let origin: String
        let report: AttemptReport
        /// Whether no other transfer was under way to ``origin`` when the attempt ended.
        let wasAlone: Bool

        /// Makes the settlement that the ledger stores for this attempt.
        func settlement(_ verdict: Verdict, cuts: CutAttempts, endedWall: Int64, acceptedMark: Int64) -> Settlement {
            Settlement(
                claim: claim, verdict: verdict, endedWall: endedWall, status: report.status, error: report.error,
                bytesSent: Int64(clamping: report.bytesSent), retryAfter: report.outcome.retryAfter,
                receipt: verdict.state.isLive ? nil : report.receipt, answer: report.answer?.text,
                acceptedMark: acceptedMark, cuts: cuts)
        }

        /// The status or the error, for logs.
        var summary: String { report.status.map { "\($0)" } ?? report.error ?? "" }
    }
}

extension OriginRecord {
    /// Stores the origin's last trouble, for people. The first delivery clears it.
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

    /// Whether a further attempt can succeed only after something has changed, for example the credentials, or this
    /// machine does not trust the server.
    fileprivate var isHold: Bool {
        switch self {
        case .answer(let judgement): if case .hold = judgement.disposition { true } else { false }
        case .noAnswer(.untrusted): true
        case .postponed, .noAnswer: false
        }
    }

    /// Whether the server rejected the transfer, or a further attempt can succeed only after something has changed.
    var isRefusal: Bool {
        if case .answer(let judgement) = self, judgement.disposition == .rejected { return true }
        return isHold
    }
}

extension Verdict {
    static let cancelled = Verdict(.removed, reason: .ended(.cancelled))

    var isCancellation: Bool { state == .removed && reason == .ended(.cancelled) }

    /// The verdict for a transfer whose caller decides about retries.
    ///
    /// Any answer ends the caller's wait. A certificate that is not trusted ends the wait, too, because a retry would
    /// meet the same certificate.
    func handedBack(_ outcome: AttemptOutcome) -> Verdict {
        if outcome.isHold { return Verdict(.rejected, reason: reason, note: note) }
        if case .answer = outcome, state == .waiting || state == .held { return Verdict(.held, reason: .held(.caller)) }
        return self
    }
}
