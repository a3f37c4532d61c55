/// What a client does with a ``DraftResumableServer``.
package enum DraftExchange: Sendable, Hashable {
    /// `OPTIONS`.
    case discovery
    /// A request that begins an upload.
    case creation
    /// `HEAD` on an upload.
    case retrieval
    /// `PATCH` on an upload.
    case append
    /// `DELETE` on an upload.
    case cancellation
    /// Anything that has nothing to do with the draft.
    case ordinary
}

/// What goes wrong with one request to a ``DraftResumableServer``.
package enum DraftFault: Sendable {
    /// The head is answered so; the request has no effect.
    case refuse(Answer)
    /// The request has its effect, and its own answer is turned into another.
    case replaceAnswer(@Sendable (Answer) -> Answer)
    /// So many bytes of content are stored, then the connection is reset.
    case breakOff(afterByteCount: Int)
    /// The upload is not known any more: 404.
    case forget
    /// The upload is known to have been there: 410.
    case expire
    /// What was stored beyond this offset is lost before the request is looked at. Without bodies, all that came in the
    /// part around that offset is.
    case loseBytes(downTo: Int)
    /// Answers to a creation name this `Location`.
    case location(String)
    /// The answer claims this offset.
    case claimOffset(Int)

    /// Refused with a status, for instance 503.
    package static func status(_ status: Int, headers: [(name: String, value: String)] = []) -> DraftFault {
        .refuse(.response(status, headers: headers))
    }

    /// The request has its effect, then the connection is closed without an answer.
    package static var loseAnswer: DraftFault { .replaceAnswer { _ in .close } }

    /// The request has its effect, then nothing more comes on this connection.
    package static var silence: DraftFault { .replaceAnswer { _ in .stall } }
}

/// Faults waiting for their requests.
struct DraftFaultPlan: Sendable {
    private var planned: [(exchange: DraftExchange, number: Int, fault: DraftFault)] = []
    private var counts: [DraftExchange: Int] = [:]

    mutating func add(_ fault: DraftFault, into exchange: DraftExchange, from number: Int?, times: Int) {
        let first = number ?? counts[exchange, default: 0] + 1
        for number in first..<first + times { planned.append((exchange, number, fault)) }
    }

    /// Counts an exchange and takes out its fault.
    mutating func next(_ exchange: DraftExchange) -> DraftFault? {
        let number = counts[exchange, default: 0] + 1
        counts[exchange] = number
        guard let place = planned.firstIndex(where: { $0.exchange == exchange && $0.number == number })
        else { return nil }
        return planned.remove(at: place).fault
    }
}
