/// The row that a session found, or made, for a transfer that it was asked for.
package enum FoundTransfer: Sendable {
    /// The transfer is new or unfinished: its result will come.
    case live
    /// The transfer has ended, and this row has its result.
    case ended(TransferRecord)
    /// The identifier names another transfer, which is unfinished.
    case inUse
}

extension TransferStore {
    /// Finds the transfer that the caller means, or begins it.
    ///
    /// A result that no caller has seen is returned once. With `keepsResult`, the result of a delivered transfer is
    /// returned again and again until it is acknowledged, as long as the closure says that the result is still good.
    package func findOrInsert(
        _ transfer: NewTransfer, keepsResult: (() -> Bool)? = nil
    ) throws -> FoundTransfer {
        guard let record = try queries.record(transfer.identifier) else {
            try insert(transfer)
            return .live
        }
        let isSameWork = record.request?.bodyHash == transfer.request?.bodyHash
        if record.state.isLive {
            guard isSameWork else { return .inUse }
            try askAgain(for: record, with: transfer)
            return .live
        }
        // A result is returned only for the same work.
        if isSameWork, !record.isAcknowledged {
            guard record.state == .delivered, let keepsResult else {
                try acknowledge(transfer.identifier)
                return .ended(record)
            }
            if keepsResult() { return .ended(record) }
        }
        try revive(transfer)
        return .live
    }

    /// Records that the result has reached its caller. The next call then begins a new transfer.
    package func acknowledge(_ identifier: String) throws {
        try connection.run(
            "UPDATE transfer SET is_acknowledged=1 WHERE identifier=? AND settled_at IS NOT NULL",
            .text(identifier))
    }

    /// Stores how far a transfer under way has come, for the attempt that continues it. `byteCount` is the size of the
    /// whole, if this has become known.
    ///
    /// With `hasAdvanced`, the transfer has come further than in any earlier attempt, so it is not the cause of its
    /// senders' deaths. Its strikes and cuts are forgotten, and other transfers may be sent beside it.
    package func note(
        progress: String?, byteCount: Int64?, hasAdvanced: Bool = false, of identifier: String
    ) throws {
        try connection.run(
            """
            UPDATE transfer SET progress=?, byte_count=ifnull(?, byte_count), strikes=strikes * ?,
              is_suspect=is_suspect * ?, cuts=cuts * ?
            WHERE identifier=? AND state='sending'
            """, SQLiteValue(progress), SQLiteValue(byteCount), SQLiteValue(!hasAdvanced), SQLiteValue(!hasAdvanced),
            SQLiteValue(!hasAdvanced), .text(identifier))
    }

    /// Counts that the same content was handed in again. If it has a request of its own now, this request replaces the
    /// earlier one while the transfer is unfinished. A transfer that rests because nobody knew its request becomes due.
    package func count(_ transfer: NewTransfer) throws {
        if transfer.request != nil, let record = try queries.record(transfer.identifier), record.state.isLive {
            return try askAgain(for: record, with: transfer)
        }
        try count(transfer.identifier, seenWall: transfer.seenWall)
    }

    /// Records that a caller asks again for an unfinished transfer. The newer request counts, and a transfer that rests
    /// becomes due.
    private func askAgain(for record: TransferRecord, with transfer: NewTransfer) throws {
        guard let request = transfer.request else { return }
        try connection.run(
            """
            UPDATE transfer SET seen=seen+1, last_seen_wall=max(last_seen_wall, ?), lane=?, method=?, url=?,
              header_names=?, body_path=?, body_hash=?, progress=CASE WHEN url=? THEN progress ELSE NULL END WHERE id=?
            """,
            .integer(transfer.seenWall), .text(Lane.own(request.origin).name), .text(request.method),
            .text(request.url),
            .text(request.headerNames.joined(separator: "\n")), .text(request.bodyPath),
            .text(request.bodyHash), .text(request.url), .integer(record.rowID))
        // The failures at another server, and the waits that it asked for, say nothing about the new server.
        let isMoved = record.state == .waiting && record.request?.origin != request.origin
        let isResting = record.state == .held && record.reason == .held(.caller)
        // A strike delays only a transfer that no caller asks for. The transfer stays a suspect, so that it is sent
        // alone.
        let isSuspected = record.state == .held && record.reason == .held(.poison)
        guard isMoved || isResting || isSuspected else { return }
        try connection.run(
            """
            UPDATE transfer SET state='waiting', reason=NULL, note=NULL, due_at=?, enrolled_at=?, answer=NULL,
              accepted_mark=NULL, charged=0, failures=0
            WHERE id=?
            """, .integer(now), .integer(now), .integer(record.rowID))
    }

    // MARK: - Transfers of an earlier owner

    /// Lets the due transfers rest, so that none of them is claimed while its request is not known. Transfers with the
    /// label go on as they are, because a provider can make their requests. When the task is cancelled meanwhile,
    /// nothing changes.
    package func restEarlierTransfers(exceptLabel label: String?) throws {
        try recover()
        try transaction { () throws in
            try connection.cancellable {
                try connection.run(
                    """
                    UPDATE transfer SET state='held', reason='\(HoldReason.caller.rawValue)', note=NULL, due_at=NULL
                    WHERE (state='queued' OR state='waiting') AND url IS NOT NULL AND label IS NOT ?
                    """, SQLiteValue(label))
            }
        }
    }

    /// Makes the transfers due that rest only because their requests were not known. Transfers that the server put off
    /// go on resting. If a label or an identifier is given, only rows with it are changed.
    package func wakeResting(label: String? = nil, identifier: String? = nil) throws {
        try connection.run(
            """
            UPDATE transfer SET state='waiting', reason=NULL, note=NULL, due_at=?1
            WHERE state='held' AND reason='\(HoldReason.caller.rawValue)' AND answer IS NULL AND url IS NOT NULL
              AND (?2 IS NULL OR label=?2) AND (?3 IS NULL OR identifier=?3)
            """, .integer(now), SQLiteValue(label), SQLiteValue(identifier))
    }
}

extension LedgerQueries {
    /// A session's transfers that are unfinished, or whose outcome no caller has seen, in the order in which they came.
    package func pending(label: String) throws -> [TransferRecord] {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer
            WHERE label=? AND (settled_at IS NULL OR is_acknowledged=0) ORDER BY id
            """, [.text(label)], TransferRecord.init)
    }
}
