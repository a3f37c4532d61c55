import HTTPTypes

extension TransferQueue.FinishedAttempt {
    init(claim: Claim, origin: String, outcome: TransportOutcome) {
        let isSecure = origin.hasPrefix("https:")
        self.claim = claim
        self.origin = origin
        self.outcome = outcome
        self.isSecure = isSecure
        if case .answer(let answer) = outcome {
            isDelivered = answer.isWholeBodySent && Self.disposition(of: answer, isSecure: isSecure) == .delivered
            letsNextGo = isDelivered && !answer.asksToWait
        } else {
            isDelivered = false
            letsNextGo = false
        }
    }

    /// What happened, in the words of the policy.
    func schedulingOutcome(at wall: Int64) -> AttemptOutcome {
        switch outcome {
        case .cancelled: .interrupted
        case .untrusted: .untrusted
        case .unreadableBody(let reason): .unsendable(reason: reason)
        case .failedRead: .failedRead
        case .missingBody: .missing
        case .localTrouble: .localTrouble
        case .unprepared: .unprepared
        case .withheld: .withheld
        case .failure(let failure): .failure(sentBytes: failure.didConnect)
        case .postponed(let answer): .postponed(retryAfter: answer.retryAfter(at: wall) ?? 0)
        case .answer(let answer): Self.scheduling(answer, at: wall, isSecure: isSecure)
        }
    }

    private static func scheduling(
        _ answer: TransferAnswer, at wall: Int64, isSecure: Bool
    ) -> AttemptOutcome {
        let disposition = disposition(of: answer, isSecure: isSecure)
        // A 2xx to half a request says nothing about the whole of it.
        if disposition == .delivered, !answer.isWholeBodySent { return .failure(sentBytes: true) }
        return .answer(status: answer.status, disposition: disposition, retryAfter: answer.retryAfter(at: wall))
    }

    private static func disposition(of answer: TransferAnswer, isSecure: Bool) -> ResponseDisposition {
        if ConnectionComplaint.of(answer) != nil { return .hold(.tls) }
        let contentType = answer.carriesContent || answer.hasAcknowledgement ? nil : answer.fields[.contentType]
        let disposition = ResponseDisposition.of(
            status: answer.status, contentType: contentType, isPlainHTTP: !isSecure, isLoopbackHost: answer.isLoopback)
        return disposition == .delivered && answer.lacksAcknowledgement ? .hold(.acknowledgement) : disposition
    }

    func settlement(
        _ verdict: Verdict, outcome: AttemptOutcome, endedWall: Int64, acceptedMark: Int64,
        receipt: (TransferAnswer) -> String?
    ) -> Settlement {
        var verdict = verdict
        // What a code alone does not say: an address, or whose error it was.
        switch verdict.reason {
        case .held(.redirect), .held(.portal), .waiting(.headers), .waiting(.local):
            verdict.note = verdict.note ?? errorText
        default: break
        }
        var status: Int?
        var kept: String?
        var answerText: String?
        var retryAfter: Int64?
        if case .answer(let answer) = self.outcome {
            status = answer.status
            if !verdict.state.isLive { kept = receipt(answer) }
            if claim.record.request != nil { answerText = StoredAnswer(answer).text }
        }
        switch outcome {
        case .answer(_, _, let asked): retryAfter = asked
        case .postponed(let asked): retryAfter = asked
        default: break
        }
        return Settlement(
            claim: claim, verdict: verdict, endedWall: endedWall, status: status, error: errorText,
            bytesSent: Int64(clamping: bytesSent), retryAfter: retryAfter, receipt: kept, answer: answerText,
            acceptedMark: acceptedMark)
    }

    private var bytesSent: UInt64 {
        switch outcome {
        case .answer(let answer), .postponed(let answer): answer.bytesSent
        case .failure(let failure): failure.bytesSent
        case .untrusted, .unreadableBody, .failedRead, .missingBody, .localTrouble, .withheld, .unprepared, .cancelled:
            0
        }
    }

    /// What went wrong, for people; `nil` after a 2xx.
    var errorText: String? {
        switch outcome {
        case .answer(let answer): Self.errorText(of: answer, isSecure: isSecure)
        case .postponed(let answer): "the server asked to wait (\(answer.status)) before the next part"
        case .failure(let failure): failure.description
        case .untrusted(let reason): reason
        case .unreadableBody(let reason), .failedRead(let reason), .localTrouble(let reason), .withheld(let reason),
            .unprepared(let reason):
            reason
        case .missingBody: "bytes missing"
        case .cancelled: "interrupted"
        }
    }

    private static func errorText(of answer: TransferAnswer, isSecure: Bool) -> String? {
        switch disposition(of: answer, isSecure: isSecure) {
        case .hold(.portal): return portalText(of: answer)
        case .hold(.redirect): return redirectText(of: answer)
        default: break
        }
        if answer.status / 100 == 2 {
            if !answer.isWholeBodySent { return "the server answered before it had the whole body" }
            return answer.lacksAcknowledgement
                ? "the server answered \(answer.status) without the proof of receipt" : nil
        }
        let text = "the server answered \(answer.status)"
        if let complaint = ConnectionComplaint.of(answer) {
            return "\(text): \(complaint.text)"
        }
        switch answer.status {
        case 407: return "the proxy wants credentials, or others (407)"
        case 413: return "\(text): too large for it"
        case 415: return "\(text): it does not take this encoding, or this type"
        default: return text
        }
    }

    private static func redirectText(of answer: TransferAnswer) -> String {
        let target = answer.endpoint.flatMap { asked in
            answer.fields[.location].flatMap { ForeignAddress($0, from: asked) }
        }
        let text = "the server answered \(answer.status)"
        return target.map { "\(text) and points to \($0)" } ?? "\(text), a redirect that names no address"
    }

    private static func portalText(of answer: TransferAnswer) -> String {
        let text = "a portal answered \(answer.status) in the server's place"
        guard let asked = answer.endpoint else { return text }
        let login = PortalPage.loginAddress(location: answer.fields[.location], body: answer.body, from: asked)
        return login.map { "\(text): log in at \($0)" } ?? "\(text): open \(asked.origin) in a browser and log in"
    }

    /// For logs.
    var summary: String {
        if case .answer(let answer) = outcome { return "\(answer.status)" }
        return errorText ?? ""
    }
}

extension ConnectionComplaint {
    fileprivate static func of(_ answer: TransferAnswer) -> ConnectionComplaint? {
        of(status: answer.status, contentType: answer.fields[.contentType], body: answer.body)
    }
}

extension OriginRecord {
    /// Keeps the origin's last trouble for people, and forgets it at the first success.
    mutating func note(_ attempt: TransferQueue.FinishedAttempt, _ verdict: Verdict) {
        if verdict.state == .delivered {
            lastStatus = nil
            lastError = nil
            return
        }
        switch attempt.outcome {
        case .answer(let answer), .postponed(let answer):
            lastStatus = answer.status
            lastError = attempt.errorText
        case .failure, .untrusted:
            lastStatus = nil
            lastError = attempt.errorText
        // Ours, and nothing about the origin.
        case .unreadableBody, .failedRead, .missingBody, .localTrouble, .withheld, .unprepared, .cancelled: break
        }
    }
}

extension AttemptOutcome {
    /// The server is there and will not have this, or we will not have the server.
    var isRefusal: Bool {
        switch self {
        case .answer(_, .rejected, _), .answer(_, .hold, _), .untrusted: true
        case .answer, .postponed, .failure, .unsendable, .failedRead, .missing, .localTrouble, .unprepared, .withheld,
            .interrupted:
            false
        }
    }
}

extension Verdict {
    static let cancelled = Verdict(.removed, reason: .ended(.cancelled))

    var isCancellation: Bool { state == .removed && reason == .ended(.cancelled) }

    /// With the caller as the retry's owner, an answer ends the caller's wait whatever it says, and a certificate
    /// that is not accepted will not be accepted by trying again.
    func handedBack(_ outcome: AttemptOutcome) -> Verdict {
        switch (outcome, state) {
        case (.answer(_, .hold, _), _), (.untrusted, _): Verdict(.rejected, reason: reason, note: note)
        case (.answer, .waiting), (.answer, .held): Verdict(.held, reason: .held(.caller))
        default: self
        }
    }
}
