/// What came of one attempt, judged: all that the queue learns from its client.
package struct AttemptReport: Sendable {
    package var outcome: AttemptOutcome
    /// Of the answer to the whole; `nil` without one.
    package var status: Int?
    /// How much of the body left this machine, in bytes.
    package var bytesSent: UInt64
    /// What went wrong, in a sentence for people; `nil` after a delivery.
    package var error: String?
    /// What is kept of the answer when the transfer ends with it.
    package var receipt: String?
    /// The answer's head, for a caller who comes for it later; `nil` where nobody will.
    package var answer: StoredAnswer?
    /// How the body went out, which the queue notes of an attempt that it has stopped.
    package var trace: BodyTrace?

    /// An attempt without an answer.
    package init(_ trouble: NoAnswer) {
        self.init(.noAnswer(trouble), bytesSent: trouble.bytesSent, error: trouble.text)
    }

    /// Judges what a request, or an exchange of several, came to.
    /// - Parameters:
    ///   - result: what came.
    ///   - wall: this machine's clock, in milliseconds since 1970.
    ///   - keepsAnswer: whether a caller may come for the answer later. The default is `false`.
    ///   - judge: says what an answer to the whole means.
    package init(
        _ result: TransportResult, at wall: Int64, keepsAnswer: Bool = false, by judge: (TransferAnswer) -> Judgement
    ) {
        switch result {
        case .noAnswer(let trouble):
            self.init(trouble)
        case .postponed(let answer):
            self.init(
                .postponed(status: answer.status, retryAfter: answer.retryAfter(at: wall) ?? 0),
                bytesSent: answer.bytesSent,
                error: "the server asked to wait (\(answer.status)) before the next part")
        case .answer(let answer):
            let judgement = judge(answer)
            if judgement.disposition == .delivered, !answer.isWholeBodySent {
                // A 2xx to half a request says nothing about the whole of it.
                let text = "the server answered before it had the whole body"
                self.init(.failure(TransportFailure(text, didConnect: true, bytesSent: answer.bytesSent)))
            } else {
                self.init(.answer(judgement), bytesSent: answer.bytesSent, error: judgement.note)
            }
            status = answer.status
            receipt = judgement.receipt
            self.answer = keepsAnswer ? StoredAnswer(answer) : nil
        }
    }

    private init(_ outcome: AttemptOutcome, bytesSent: UInt64, error: String?) {
        self.outcome = outcome
        self.bytesSent = bytesSent
        self.error = error
    }

    /// Whether the server has the transfer.
    package var isDelivered: Bool {
        if case .answer(let judgement) = outcome { judgement.disposition == .delivered } else { false }
    }

    /// Whether the next transfer to the same origin may start before the queue has judged this end.
    package var letsNextGo: Bool {
        if case .answer(let judgement) = outcome { judgement.letsNextGo } else { false }
    }
}
