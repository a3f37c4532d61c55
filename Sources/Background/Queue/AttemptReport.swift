/// The judged result of one attempt: all that the queue learns from its client.
package struct AttemptReport: Sendable {
    package var outcome: AttemptOutcome
    /// The status of the answer to the whole transfer; `nil` without such an answer.
    package var status: Int?
    /// The number of the body's bytes that left this machine.
    package var bytesSent: UInt64
    /// The reason why the attempt failed, as a sentence for people; `nil` after a delivery.
    package var error: String?
    /// The part of the answer that the ledger keeps when the transfer ends with this attempt.
    package var receipt: String?
    /// The answer's head, for a caller that may ask for it later; `nil` where no caller will.
    package var answer: StoredAnswer?
    /// What the client may change in order to send the request once more in the same attempt.
    package var again: Change?
    /// The pace of the bodies of this attempt; set only for an attempt that the queue has stopped.
    package var trace: BodyTrace?

    /// Makes the report of an attempt that brought no answer.
    package init(_ trouble: NoAnswer) {
        self.init(.noAnswer(trouble), bytesSent: trouble.bytesSent, error: trouble.text)
    }

    /// Judges the result of one request, or of an exchange of several requests.
    /// - Parameters:
    ///   - result: the transport's result.
    ///   - wall: this machine's clock, in milliseconds since 1970.
    ///   - keepsAnswer: whether a caller may ask for the answer later. The default is `false`.
    ///   - judge: says what an answer to the whole transfer means.
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
                // A 2xx answer to a part of a request says nothing about the whole request.
                let text = "the server answered before it had the whole body"
                self.init(.failure(TransportFailure(text, didConnect: true, bytesSent: answer.bytesSent)))
            } else {
                self.init(.answer(judgement), bytesSent: answer.bytesSent, error: judgement.note)
            }
            status = answer.status
            receipt = judgement.receipt
            again = judgement.again
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

    /// Whether the next transfer to the attempt's origin may start before the queue has judged this attempt.
    package var letsNextGo: Bool {
        if case .answer(let judgement) = outcome { judgement.letsNextGo } else { false }
    }
}
