package import Background

extension NewTransfer {
    /// A row of the lane `main`, for tests to which lane and rank do not matter.
    package init(
        identifier: String, label: String, rank: Int = 0, metadata: String, byteCount: Int64, seenWall: Int64,
        request: TransferRecord.StoredRequest? = nil
    ) {
        self.init(
            identifier: identifier, lane: Lane("main"), label: label, rank: rank, metadata: metadata,
            byteCount: byteCount, seenWall: seenWall, request: request)
    }
}
