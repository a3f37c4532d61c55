/// The queue's client: it knows what a transfer's bytes are, where they go and how, and what an answer from there
/// means.
package protocol TransferClient: Sendable {
    /// Makes one attempt of a claimed transfer, with the credentials of the moment: one request as a rule, several
    /// where a transfer goes by parts. The client judges what came of it.
    ///
    /// Total: whatever happens is reported. Ends soon when its task is cancelled.
    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport
    /// Called after each commit with what it settled, the time to release files. May repeat after a crash.
    func didSettle(_ settlements: [Settlement]) async
    /// Called in a drive that lasts, whenever nothing more can be claimed and nothing is under way.
    func didRunDry() async throws
    /// The ledger's disk is full.
    /// - Returns: whether some space was freed, so that trying again makes sense.
    func freeLedgerSpace() async -> Bool
    /// Called before each claim. Throwing ends the drive: somebody else may own the queue.
    func mayGoOn() throws
}

extension TransferClient {
    package func mayGoOn() throws {}
    package func didRunDry() async throws {}
}
