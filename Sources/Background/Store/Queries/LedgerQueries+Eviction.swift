extension LedgerQueries {
    private static let parked: [TransferState] = [.rejected, .exhausted]
    /// The states of transfers that the engine will send and is not sending now.
    private static let resting: [TransferState] = [.queued, .waiting, .held]

    /// The transfers that may be evicted, the least important first: parked transfers, then the transfers of the last
    /// rank, then the transfers of the other ranks. In each of these groups the oldest comes first. A transfer that is
    /// being sent is never among them.
    package func evictionCandidates(limit: Int) throws -> [TransferRecord] {
        var candidates = try oldest(in: Self.parked, "", limit: limit)
        for rank in [2, 1, 0] where candidates.count < limit {
            candidates += try oldest(in: Self.resting, "AND rank=\(rank)", limit: limit - candidates.count)
        }
        return candidates
    }

    private func oldest(
        in states: [TransferState], _ condition: String, limit: Int
    ) throws -> [TransferRecord] {
        let found = try states.flatMap { state in
            try connection.rows(
                """
                SELECT \(TransferRecord.columns) FROM transfer WHERE state=? \(condition)
                ORDER BY first_seen_wall, id LIMIT ?
                """, [.text(state.rawValue), .integer(Int64(limit))], TransferRecord.init)
        }
        return Array(found.sorted { ($0.firstSeenWall, $0.rowID) < ($1.firstSeenWall, $1.rowID) }.prefix(limit))
    }

    /// Transfers with more bytes than all transfers together may have, including transfers that are being sent. To
    /// evict other transfers would make no room for such a transfer. At most 1,000.
    package func larger(than byteCount: Int64) throws -> [TransferRecord] {
        let tally = try tally()
        return try find("byte_count > ?", byteCount, in: Self.resting + Self.parked + [.sending], limit: 1_000) {
            tally[$0].byteCount > byteCount
        }
    }

    // MARK: - Age

    /// Transfers with bytes that were enrolled before a time on the ledger's axis, and are not being sent.
    package func enrolled(before time: Int64, limit: Int) throws -> [TransferRecord] {
        try find("enrolled_at < ?", time, in: Self.resting + Self.parked, limit: limit) { _ in true }
    }

    private func find(
        _ condition: String, _ bound: Int64, in states: [TransferState], limit: Int,
        where isWorthALook: (TransferState) -> Bool
    ) throws -> [TransferRecord] {
        var found: [TransferRecord] = []
        for state in states where found.count < limit && isWorthALook(state) {
            found += try connection.rows(
                "SELECT \(TransferRecord.columns) FROM transfer WHERE state=? AND \(condition) LIMIT ?",
                [.text(state.rawValue), .integer(bound), .integer(Int64(limit - found.count))], TransferRecord.init)
        }
        return found
    }

    /// When the oldest transfer with bytes was enrolled, on the ledger's axis. Looks at each of them.
    func oldestEnrolment() throws -> Int64? {
        try (Self.resting + Self.parked + [.sending]).compactMap { state in
            try connection.value("SELECT min(enrolled_at) FROM transfer WHERE state=?", .text(state.rawValue))?.integer
        }.min()
    }

    static let oldestEnrolmentName = "oldest enrolment"

    /// The value of ``oldestEnrolment()`` that was noted last. No transfer with bytes is older: later transfers are
    /// enrolled later, and a transfer that is tried anew is enrolled anew.
    func oldestEnrolmentNoted() throws -> Int64? {
        try connection.value("SELECT text FROM memory WHERE name=?", .text(Self.oldestEnrolmentName))?.text
            .flatMap { Int64($0) }
    }
}

extension TransferStore {
    func note(oldestEnrolment time: Int64) throws {
        try connection.run(
            "INSERT OR REPLACE INTO memory(name, text) VALUES(?, ?)", .text(LedgerQueries.oldestEnrolmentName),
            .text("\(time)"))
    }
}
