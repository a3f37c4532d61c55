/// What became of asking for an upload.
package enum UploadEnrolment: Sendable {
    /// It is new, or lives: its outcome is to come.
    case live
    /// It ended while nobody listened; now it counts as seen.
    case ended(TransferRecord)
    /// The identifier is another content's, and that one lives.
    case inUse
}

extension TransferStore {
    /// Finds the transfer that is meant, or begins it.
    package func enrolUpload(_ transfer: NewTransfer) throws -> UploadEnrolment {
        guard let record = try queries.record(transfer.identifier) else {
            try insert(transfer)
            return .live
        }
        let isSameContent =
            record.byteCount == transfer.byteCount && record.request?.bodyHash == transfer.request?.bodyHash
        if record.state.isLive {
            guard isSameContent else { return .inUse }
            try askAgain(for: record, with: transfer)
            return .live
        }
        // Another content's outcome would be a lie.
        if isSameContent, !record.isAcknowledged {
            try acknowledge(transfer.identifier)
            return .ended(record)
        }
        try revive(transfer)
        return .live
    }

    /// The outcome has reached somebody, so that asking again means a new transfer.
    package func acknowledge(_ identifier: String) throws {
        try connection.run(
            "UPDATE transfer SET is_acknowledged=1 WHERE identifier=? AND settled_at IS NOT NULL",
            .text(identifier))
    }

    /// A live transfer is asked for once more: the newer request counts, and one that rests is due.
    private func askAgain(for record: TransferRecord, with transfer: NewTransfer) throws {
        guard record.state != .sending, let request = transfer.request else { return }
        try connection.run(
            """
            UPDATE transfer SET seen=seen+1, last_seen_wall=max(last_seen_wall, ?), origin=?, method=?, url=?,
              header_names=?, body_path=? WHERE id=?
            """,
            .integer(transfer.seenWall), .text(request.origin), .text(request.method), .text(request.url),
            .text(request.headerNames.joined(separator: "\n")), .text(request.bodyPath), .integer(record.rowID))
        // What another server failed or asked for says nothing about this one.
        let isMoved = record.state == .waiting && record.request?.origin != request.origin
        let isResting = record.state == .held && record.reason == Verdict.callerReason
        guard isMoved || isResting else { return }
        try connection.run(
            """
            UPDATE transfer SET state='waiting', reason=NULL, due_at=?, enrolled_at=?, answer=NULL, accepted_mark=NULL
            WHERE id=?
            """, .integer(now), .integer(now), .integer(record.rowID))
    }

    /// What an earlier life left goes on if somebody can make its requests, else it rests until it is asked for.
    package func adoptEarlierUploads(hasProvider: Bool) throws {
        try transaction { () throws in
            if case .unclean(let isSameBoot) = earlierEnd { try recoverInterrupted(isSameBoot: isSameBoot) }
            try hasProvider ? wakeRestingUploads() : restUploads()
        }
    }

    /// Lays down what is due, so that it is not claimed while nobody knows its request.
    private func restUploads() throws {
        try connection.run(
            """
            UPDATE transfer SET state='held', reason='\(Verdict.callerReason)', due_at=NULL
            WHERE state IN ('queued', 'waiting') AND origin IS NOT NULL
            """)
    }

    /// Makes due what rests only because nobody knew its request; what the server put off goes on resting.
    private func wakeRestingUploads() throws {
        try connection.run(
            """
            UPDATE transfer SET state='waiting', reason=NULL, due_at=?
            WHERE state='held' AND reason='\(Verdict.callerReason)' AND answer IS NULL AND origin IS NOT NULL
            """, .integer(now))
    }
}
