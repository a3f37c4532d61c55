/// Why a transfer stands where it stands: a closed set of codes.
///
/// The raw value is what the ledger stores and what people and scripts read; it does not change. Whatever is
/// particular to one transfer (a number, a server's address) is said by the note that is stored beside it.
package enum TransferReason: Hashable, Sendable {
    case waiting(WaitReason)
    case held(HoldReason)
    case ended(EndReason)

    package var rawValue: String {
        switch self {
        case .waiting(let reason): reason.rawValue
        case .held(let reason): reason.rawValue
        case .ended(let reason): reason.rawValue
        }
    }

    /// The code that a ledger holds; `nil` for a text that is none.
    package init?(rawValue: String) {
        if let reason = WaitReason(rawValue: rawValue) {
            self = .waiting(reason)
        } else if let reason = HoldReason(rawValue: rawValue) {
            self = .held(reason)
        } else if let reason = EndReason(rawValue: rawValue) {
            self = .ended(reason)
        } else {
            return nil
        }
    }
}

/// Why a waiting transfer waits.
package enum WaitReason: String, CaseIterable, Sendable {
    /// The origin did not answer, or answered with its own trouble: over as soon as it accepts anything.
    case unreachable
    /// The server named a time, or throttles. Never sent before it.
    case retryAfter = "retry-after"
    /// This transfer failed while others succeed.
    case failing
    /// All of it was sent and no answer came, and the server may take a second copy for another transfer: nothing but
    /// time, or a person, brings it on.
    case unanswered
    /// The engine gave it back, or died with it.
    case interrupted
    /// Its body needs longer than the deadlines that cut it.
    case deadline
    /// This machine could not send it, as with too many open files.
    case local
    /// A part of its request that is asked for at each send, as its headers, could not be had.
    case headers
}

/// Why an item is held: what a person has to put right, or what has to change by itself.
package enum HoldReason: String, CaseIterable, Hashable, Sendable {
    /// 401 or 407: the credentials are missing or wrong.
    case auth
    /// One side does not accept the other's certificate; a wrong local clock causes this too.
    case tls
    /// The endpoint has moved to where we do not follow.
    case redirect
    /// Something between us and the server asks for a login first.
    case portal
    /// 415: the server does not take the content coding or type.
    case encoding
    /// Five rejections in a row without a success: the endpoint is probably the wrong one.
    case rejecting
    /// 403: the server refuses this item; the others go on.
    case forbidden
    /// 2xx without the proof of receipt that the endpoint is to give; the others go on.
    case acknowledgement
    /// The sending process died three times with only this item in flight.
    case poison
    /// Nobody in this process knows its request; it rests until its caller asks for it again.
    case caller
    /// The server answers that the address itself is wrong, whatever is sent there.
    case destination
    /// The server refuses requests with the time of this machine's clock.
    case clock
    /// The routes say that it is not sent, or its destination does not take such transfers.
    case route

    /// Whether the reason is about the origin, so that its gate closes with it and a success releases all.
    package var closesOrigin: Bool {
        switch self {
        case .auth, .tls, .redirect, .portal, .encoding, .rejecting, .destination, .clock: true
        case .forbidden, .acknowledgement, .poison, .caller, .route: false
        }
    }

    /// What ends a hold.
    package enum End: Hashable, Sendable {
        /// The origin accepts another transfer.
        case acceptance
        /// Time alone.
        case time
        /// The transfer's caller asks for it again.
        case caller
        /// Another decision about where it goes.
        case route
    }

    static let endedByAcceptance = allCases.filter { $0.endsBy == .acceptance }

    package var endsBy: End {
        switch self {
        case .auth, .tls, .redirect, .portal, .encoding, .rejecting, .forbidden, .acknowledgement, .destination, .clock:
            .acceptance
        case .poison: .time
        case .caller: .caller
        case .route: .route
        }
    }
}

/// Why a transfer is over, for the states in which it is.
package enum EndReason: String, CaseIterable, Hashable, Sendable {
    /// The server does not want it.
    case rejected = "rejected by the server"
    /// 413: it is larger than the server takes.
    case tooLarge = "too large for the server (413): raise the limit there, then retry it"
    /// Its body cannot be sent as it is: damaged, or changed since it was enqueued.
    case unsendable = "cannot be sent"
    /// Its stored bytes are not those that were stored.
    case damaged = "the stored bytes are damaged"
    /// It was found parked when the ledger was made again, which knows nothing else of it.
    case rebuilt = "ledger rebuilt"
    /// Its own failures have used up its tries.
    case failedTooOften = "failed too often"
    /// No server has accepted it for as long as the policy waits.
    case notAccepted = "not accepted for too long"
    /// Its bytes are not where they were stored.
    case bytesMissing = "bytes missing"
    case removedByPerson = "removed by a person"
    /// Its caller has taken it out.
    case cancelled
    /// Its bytes went to keep the number of transfers.
    case countLimit = "limit: max_count"
    /// Its bytes went to keep the sum of all bytes.
    case byteLimit = "limit: max_total_size"
    /// Its bytes went because they had been kept long enough.
    case ageLimit = "limit: max_age_days"
    /// Its bytes were not kept, because the ledger had admitted enough transfers of its signature shortly before.
    case signatureLimit = "limit: max_per_signature"

    /// The ends of evicted transfers.
    package static let limits: [EndReason] = [.countLimit, .byteLimit, .ageLimit, .signatureLimit]
}
