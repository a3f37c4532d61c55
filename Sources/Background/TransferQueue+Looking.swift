extension TransferQueue {
    /// Unfinished transfers older than an age in milliseconds, counted on the ledger's own axis.
    package func enrolled(longerAgoThan age: Int64, limit: Int) throws -> [TransferRecord] {
        try store.queries.enrolled(before: store.now - age, limit: limit)
    }
}
