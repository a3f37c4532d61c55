/// The row that a session found, or made, for a transfer that it was asked for.
package enum FoundTransfer: Sendable {
    /// The transfer is new, or lives: its result is to come.
    case live
    /// The transfer has ended, and this row has its result.
    case ended(TransferRecord)
    /// The identifier is that of another transfer, which lives.
    case inUse
}

extension TransferStore {
    /// Finds the transfer that is meant, or begins it.
    ///
    /// A result that nobody has seen is handed over, once; with `keepsResult`, that of a delivered transfer again and
    /// again until it is acknowledged, as long as the closure finds it good.
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
        // The result of another transfer would be a lie.
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

    /// The result has reached its caller, so that asking again means a new transfer.
    package func acknowledge(_ identifier: String) throws {
        try connection.run(
            "UPDATE transfer SET is_acknowledged=1 WHERE identifier=? AND settled_at IS NOT NULL",
            .text(identifier))
    }

    /// How far a transfer under way has come, for whoever goes on with it; `byteCount` is that of the whole, where it
    /// became known. One that has come further than ever before is not what its sender dies of, however often that is
    /// killed: its strikes are forgotten, and others may go beside it. Nor do the deadlines matter that cut it.
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

    /// The same content was handed in again. If it has a request of its own now, that one counts while the transfer
    /// lives, and one that rests for want of a request is due.
    package func count(_ transfer: NewTransfer) throws {
        if transfer.request != nil, let record = try queries.record(transfer.identifier), record.state.isLive {
            return try askAgain(for: record, with: transfer)
        }
        try count(transfer.identifier, seenWall: transfer.seenWall)
    }

    /// A live transfer is asked for once more: the newer request counts, and one that rests is due.
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
        // What another server failed or asked for says nothing about this one.
        let isMoved = record.state == .waiting && record.request?.origin != request.origin
        let isResting = record.state == .held && record.reason == .held(.caller)
        // A strike delays only what nobody asks for. It stays a suspect, so that it goes alone.
        let isSuspected = record.state == .held && record.reason == .held(.poison)
        guard isMoved || isResting || isSuspected else { return }
        try connection.run(
            """
            UPDATE transfer SET state='waiting', reason=NULL, note=NULL, due_at=?, enrolled_at=?, answer=NULL,
              accepted_mark=NULL, charged=0, failures=0
            WHERE id=?
            """, .integer(now), .integer(now), .integer(record.rowID))
    }

    // MARK: - What an earlier life left

    /// Lays down what is due, so that it is not claimed while nobody knows its request. Transfers with the label, whose
    /// requests somebody can make, go on as they are. When the task is cancelled meanwhile, nothing has changed.
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

    /// Makes due what rests only because nobody knew its request; what the server put off goes on resting.
    /// Only rows with the label, or the one row, where given.
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
    /// A session's transfers that are unfinished, or whose outcome nobody has seen, in the order they came.
    package func pending(label: String) throws -> [TransferRecord] {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer
            WHERE label=? AND (settled_at IS NULL OR is_acknowledged=0) ORDER BY id
            """, [.text(label)], TransferRecord.init)
    }
}
