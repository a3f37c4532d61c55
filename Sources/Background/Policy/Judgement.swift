/// What an answer means for the transfer that was sent and for the origin that answered.
///
/// It is decided once, by the queue's client, who knows what the destination's answers mean; the policy, the ledger and
/// people get it from here. A pure value: ``http(_:isSecure:proof:at:)`` is the meaning that HTTP itself gives an
/// answer.
package struct Judgement: Hashable, Sendable {
    package var disposition: ResponseDisposition
    /// How long the server asks to wait, in milliseconds; `nil` when it does not.
    package var retryAfter: Int64?
    /// Whether an answer that means "not now" is about the whole origin, as 429 and 503 are.
    package var throttles = false
    /// How long the transfer rests at least, in milliseconds, if it is to be sent again: set where the server may have
    /// it, and may take a second copy for another one. `nil`, the default, leaves the wait to the policy.
    package var rest: Int64?
    /// Whether a refusal is about this transfer alone, by a rule of a server that is well. Such refusals say nothing of
    /// the origin, however many there are in a row.
    package var isOfOneTransfer = false
    /// The code for a person when the transfer ends as rejected.
    package var rejection = EndReason.rejected
    /// What is wrong, in a sentence for people; `nil` after a delivery.
    package var note: String?
    /// What is kept of the answer when the transfer ends with it.
    package var receipt: String?
    /// What the client may change in order to send the request once more in the same attempt; `nil` for most answers.
    /// If the client has made a change of that sort already, the disposition counts.
    package var again: Change?

    package init(_ disposition: ResponseDisposition, retryAfter: Int64? = nil, note: String? = nil) {
        self.disposition = disposition
        self.retryAfter = retryAfter
        self.note = note
    }

    /// Whether the server has all of it and does not ask to wait, so that the next transfer may go at once.
    package var letsNextGo: Bool { disposition == .delivered && retryAfter ?? 0 <= 0 }

    /// Whether an answer proves by itself that the server, and nothing in between, has given it.
    package enum Proof: Hashable, Sendable {
        /// Nothing is demanded but the status.
        case notDemanded
        /// The proof that is demanded is there, or the content that was asked for: its type says nothing about who has
        /// answered.
        case given
        /// The proof that is demanded is not there: no 2xx is a delivery.
        case missing
    }

    /// The meaning that HTTP gives an answer.
    /// - Parameters:
    ///   - answer: an answer to the whole request.
    ///   - isSecure: whether it came over TLS, where no captive portal can answer.
    ///   - proof: whether it has the proof of receipt that its destination demands.
    ///   - wall: this machine's clock, in milliseconds since 1970.
    /// - Returns: the meaning; every status has one.
    package static func http(
        _ answer: TransferAnswer, isSecure: Bool, proof: Proof = .notDemanded, at wall: Int64
    ) -> Judgement {
        var judgement = Judgement(
            disposition(of: answer, isSecure: isSecure, proof), retryAfter: answer.retryAfter(at: wall))
        judgement.throttles = ResponseDisposition.closesOriginUntilDue(
            status: answer.status, retryAfter: judgement.retryAfter)
        if answer.status == 413 { judgement.rejection = .tooLarge }
        judgement.note = note(on: answer, judgement.disposition)
        return judgement
    }

    private static func disposition(
        of answer: TransferAnswer, isSecure: Bool, _ proof: Proof
    ) -> ResponseDisposition {
        if complaint(in: answer) != nil { return .hold(.tls) }
        let disposition = ResponseDisposition.of(
            status: answer.status, contentType: proof == .given ? nil : answer.fields[.contentType],
            isPlainHTTP: !isSecure, isLoopbackHost: answer.isLoopback)
        return disposition == .delivered && proof == .missing ? .hold(.acknowledgement) : disposition
    }

    private static func complaint(in answer: TransferAnswer) -> ConnectionComplaint? {
        ConnectionComplaint.of(status: answer.status, contentType: answer.fields[.contentType], body: answer.body)
    }
}

// MARK: - For people

extension Judgement {
    private static func note(on answer: TransferAnswer, _ disposition: ResponseDisposition) -> String? {
        let text = "the server answered \(answer.status)"
        switch disposition {
        case .delivered: return nil
        case .hold(.portal): return portalText(of: answer)
        case .hold(.redirect): return redirectText(of: answer)
        case .hold(.acknowledgement) where !answer.isWholeBodySent:
            return "the server answered before it had the whole body"
        case .hold(.acknowledgement): return "\(text) without the proof of receipt"
        default: break
        }
        if let complaint = complaint(in: answer) { return "\(text): \(complaint.text)" }
        switch answer.status {
        case 407: return "the proxy wants credentials, or does not accept these (407)"
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
}
