/// A transfer claimed for sending.
package struct Claim: Sendable {
    package let record: TransferRecord
    /// The beginning of the attempt, on the ledger's axis.
    package let startedAt: Int64
    /// The time until which the row was put off for its slow body, and the note about it; `nil` if it was not put off.
    let putOff: PutOff?

    struct PutOff: Sendable {
        let due: Int64
        let note: String?
    }
}

/// The facts that the ledger stores about an attempt that has ended.
package struct Settlement: Sendable {
    package let claim: Claim
    package let verdict: Verdict
    package let endedWall: Int64
    package let status: Int?
    package let error: String?
    package let bytesSent: Int64
    package let retryAfter: Int64?
    package let receipt: String?
    package let answer: String?
    /// The gate's count of accepted transfers at the end of the attempt.
    package let acceptedMark: Int64
    /// The cuts that the ledger knows from now on.
    package let cuts: CutAttempts

    package init(
        claim: Claim, verdict: Verdict, endedWall: Int64, status: Int?, error: String?, bytesSent: Int64,
        retryAfter: Int64?, receipt: String?, answer: String?, acceptedMark: Int64, cuts: CutAttempts = CutAttempts()
    ) {
        self.claim = claim
        self.verdict = verdict
        self.endedWall = endedWall
        self.status = status
        self.error = error
        self.bytesSent = bytesSent
        self.retryAfter = retryAfter
        self.receipt = receipt
        self.answer = answer
        self.acceptedMark = acceptedMark
        self.cuts = cuts
    }
}

extension TransferStore {
    static let historyLimit = 20

    /// Counts an attempt before its first byte leaves.
    ///
    /// The caller has just read the row. A row with a due time is in one of the states that can be claimed.
    func claim(_ record: TransferRecord, acceptedMark: Int64) throws -> Claim {
        var record = record
        let isPutOff = record.reason == .waiting(.deadline)
        let putOff = isPutOff ? record.due.map { Claim.PutOff(due: $0, note: record.note) } : nil
        record.state = .sending
        (record.due, record.reason, record.note) = (nil, nil, nil)
        record.attempts += 1
        record.acceptedMark = record.acceptedMark ?? acceptedMark
        try connection.run(
            """
            UPDATE transfer SET state='sending', epoch=?, attempts=?, due_at=NULL, reason=NULL, note=NULL,
              accepted_mark=?
            WHERE id=?
            """, .integer(epoch), SQLiteValue(record.attempts), SQLiteValue(record.acceptedMark),
            .integer(record.rowID))
        try connection.run(
            "INSERT OR REPLACE INTO attempt(transfer, number, started_wall) VALUES(?, ?, ?)",
            .integer(record.rowID), SQLiteValue(record.attempts), .integer(wallNow))
        if record.attempts > Self.historyLimit {
            try connection.run(
                "DELETE FROM attempt WHERE transfer=? AND number<=?", .integer(record.rowID),
                SQLiteValue(record.attempts - Self.historyLimit))
        }
        return Claim(record: record, startedAt: now, putOff: putOff)
    }

    /// Takes back a claim whose attempt has not begun: the row is due, or put off as before, and the attempt is not
    /// counted.
    package func giveBack(_ claim: Claim) throws {
        try connection.run(
            """
            UPDATE transfer SET state=CASE WHEN attempts=1 THEN 'queued' ELSE 'waiting' END, due_at=?, reason=?, note=?,
              epoch=NULL, accepted_mark=CASE WHEN attempts=1 THEN NULL ELSE accepted_mark END, attempts=attempts-1
            WHERE id=? AND state='sending' AND epoch=?
            """, .integer(claim.putOff?.due ?? now),
            claim.putOff == nil ? .null : .text(WaitReason.deadline.rawValue), SQLiteValue(claim.putOff?.note),
            .integer(claim.record.rowID), .integer(epoch))
        try connection.run(
            "DELETE FROM attempt WHERE transfer=? AND number=?", .integer(claim.record.rowID),
            SQLiteValue(claim.record.attempts))
    }

    /// Stores the end of an attempt. Does nothing for a row that another owner has claimed meanwhile, or that was
    /// enrolled again.
    /// - Returns: whether the row was changed. If it was not, no caller may act on the settlement.
    @discardableResult
    package func settle(_ settlement: Settlement) throws -> Bool {
        let verdict = settlement.verdict
        let isSettled = !verdict.state.isLive
        let wasInterrupted = verdict.isInterruption
        try connection.run(
            """
            UPDATE transfer SET state=?, reason=?, note=?, due_at=?, epoch=NULL, charged=charged+?, failures=?,
              accepted_mark=?, settled_at=?, last_status=ifnull(?, last_status), last_error=?,
              receipt=ifnull(?, receipt), answer=?, is_suspect=is_suspect * ?, strikes=strikes * ?, cuts=?,
              cut_byte_count=?, cut_ms=?
            WHERE id=? AND state='sending' AND epoch=?
            """,
            .text(verdict.state.rawValue), SQLiteValue(verdict.reason?.rawValue), SQLiteValue(verdict.note),
            SQLiteValue(verdict.due),
            SQLiteValue(verdict.isCharged ? 1 : 0), SQLiteValue(verdict.failures),
            .integer(settlement.acceptedMark), isSettled ? .integer(now) : .null, SQLiteValue(settlement.status),
            SQLiteValue(settlement.error), SQLiteValue(settlement.receipt), SQLiteValue(settlement.answer),
            // An attempt that has ended in any way did not kill the process.
            SQLiteValue(wasInterrupted), SQLiteValue(wasInterrupted), SQLiteValue(settlement.cuts.count),
            SQLiteValue(settlement.cuts.rate?.byteCount), SQLiteValue(settlement.cuts.rate?.milliseconds),
            .integer(settlement.claim.record.rowID), .integer(epoch))
        let isTaken = connection.changedRowCount == 1
        try connection.run(
            """
            UPDATE attempt SET ended_wall=?, status=?, error=?, bytes_sent=?, retry_after_ms=?
            WHERE transfer=? AND number=?
            """,
            .integer(settlement.endedWall), SQLiteValue(settlement.status), SQLiteValue(settlement.error),
            .integer(settlement.bytesSent), SQLiteValue(settlement.retryAfter),
            .integer(settlement.claim.record.rowID), SQLiteValue(settlement.claim.record.attempts))
        return isTaken
    }

    /// Whether a lane has a row with which its closed gate can be probed.
    package func hasProbeCandidate(lane: Lane) throws -> Bool {
        if try queries.hasDue(by: now, lane: lane) { return true }
        return try probeCandidate(lane: lane) != nil
    }

    /// What is due later than this from now rests: any other held row is due within ``OriginGate/probeInterval``. The
    /// same again is for a ledger whose clock a crash has put back.
    fileprivate static let restThreshold = 2 * OriginGate.probeInterval

    /// A row that only waits for the origin, or that is held for a reason which may be over when the origin accepts
    /// another transfer. A held row that rests is none, until ``restThreshold`` before it is due.
    func probeCandidate(lane: Lane) throws -> Int64? {
        for reason in HoldReason.endedByAcceptance {
            let row = try connection.value(
                """
                SELECT id FROM transfer WHERE state='held' AND lane=? AND reason=? AND (due_at IS NULL OR due_at<=?)
                LIMIT 1
                """, .text(lane.name), .text(reason.rawValue), .integer(now + Self.restThreshold))
            if let row { return row.integer }
        }
        return try connection.value(
            """
            SELECT id FROM transfer INDEXED BY transfer_unreachable
            WHERE state='waiting' AND reason='unreachable' AND lane=? LIMIT 1
            """, .text(lane.name)
        )?.integer
    }

    // MARK: - Waking rows

    /// Makes the rows due that waited only for the origin, because the origin accepts again.
    package func wakeUnreachable(lane: Lane) throws {
        try connection.run(
            """
            UPDATE transfer INDEXED BY transfer_unreachable SET due_at=?
            WHERE state='waiting' AND reason='unreachable' AND due_at > ? AND lane=?
            """, .integer(now), .integer(now), .text(lane.name))
    }

    /// Makes the rows due that were held for a reason which is over when the origin accepts a transfer, and that do not
    /// rest (``probeCandidate(lane:)``).
    package func wakeHeld(lane: Lane) throws {
        for reason in HoldReason.endedByAcceptance {
            try connection.run(
                """
                UPDATE transfer SET state='waiting', reason=NULL, note=NULL, due_at=?
                WHERE state='held' AND reason=? AND lane=? AND (due_at IS NULL OR due_at<=?)
                """, .integer(now), .text(reason.rawValue), .text(lane.name),
                .integer(now + Self.restThreshold))
        }
    }

    /// Makes the row of ``probeCandidate(lane:)`` due, so that the queue can send it as a probe.
    /// - Returns: the number of the row; `nil` when there is none.
    package func wakeOneForProbe(lane: Lane) throws -> Int64? {
        guard let row = try probeCandidate(lane: lane) else { return nil }
        try connection.run(
            "UPDATE transfer SET state='waiting', due_at=? WHERE id=? AND (due_at IS NULL OR due_at > ?)",
            .integer(now), .integer(row), .integer(now))
        return row
    }
}

extension TransferRecord {
    /// Whether it is held and rests at a time on the ledger's axis: the server may have it already, and nothing but time
    /// or a person brings it on.
    package func rests(at now: Int64) -> Bool {
        guard state == .held, let due else { return false }
        return due > now + TransferStore.restThreshold
    }
}
