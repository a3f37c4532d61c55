import Background

extension LedgerQueries {
    /// Every transfer, the one that was seen first last.
    func everything() throws -> [TransferRecord] {
        try TransferState.allCases.flatMap { try page(of: .state($0), after: nil, limit: .max) }
            .sorted { ($0.firstSeenWall, $0.rowID) > ($1.firstSeenWall, $1.rowID) }
    }
}
