/// The queue's client: it knows the bytes of a transfer, the server to which they go and the way to send them, and the
/// meaning of that server's answers.
package protocol TransferClient: Sendable {
    /// Makes one attempt of a claimed transfer with the credentials of that moment, and judges the result.
    ///
    /// An attempt is one request, or several where a transfer is sent in parts. The client reports every result, also
    /// its own errors. It returns soon after its task is cancelled.
    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport
    /// Releases the files of settled transfers. The queue calls this after each commit with the settlements of that
    /// commit; after a crash it may pass a settlement again.
    func didSettle(_ settlements: [Settlement]) async
    /// Tells the client that nothing more can be claimed and nothing is under way. The queue calls this only in a drive
    /// that waits for later work.
    func didRunDry() async throws
    /// Frees space because the ledger's disk is full.
    /// - Returns: whether some space was freed, so that the queue should try again.
    func freeLedgerSpace() async -> Bool
    /// Checks that this process still owns the queue. The queue calls this before each claim. An error ends the drive.
    func mayGoOn() throws
}

extension TransferClient {
    package func mayGoOn() throws {}
    package func didRunDry() async throws {}
}
