/// A claimed transfer's request, or why there is none.
package enum PreparedRequest: Sendable {
    case request(TransferRequest)
    /// The body is damaged; the text says what. It is kept for a person to look at.
    case unsendable(String)
    /// Nobody can make the request now; the transfer rests until somebody asks for it.
    case withheld(String)
    /// This machine cannot make it just now, as with too many open files.
    case localTrouble(String)
    /// The request cannot be made just now, for a reason that is not the transfer's, as credentials that cannot be had.
    case unavailable(String)
    /// The task was cancelled meanwhile.
    case interrupted
    /// The body is not there.
    case missing
}

/// The one the engine works for: it knows what a transfer's bytes are and where they go.
package protocol TransferClient: Sendable {
    /// Called just before each send, so that credentials are those of the moment.
    func request(for record: TransferRecord) async -> PreparedRequest
    /// What of an answer is kept with the transfer.
    func receipt(of answer: TransferAnswer) -> String?
    /// Called after each commit with what it settled, the time to release files. May repeat after a crash.
    func didSettle(_ settlements: [Settlement]) async
    /// The ledger's disk is full.
    /// - Returns: whether some space was freed, so that trying again makes sense.
    func freeLedgerSpace() async -> Bool
    /// Called before each claim. Throwing ends the drive: somebody else may own the queue.
    func mayGoOn() throws
}

extension TransferClient {
    package func mayGoOn() throws {}
}
