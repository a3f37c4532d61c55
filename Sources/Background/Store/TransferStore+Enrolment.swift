extension TransferStore {
    /// Inserts a transfer that the ledger does not know: queued and due now, or held because no route sends it.
    ///
    /// The limit of its signature counts it as admitted `age` milliseconds ago. The default is now.
    package func insert(_ transfer: NewTransfer, admittedFor age: Int64 = 0) throws {
        try connection.run(
            """
            INSERT INTO transfer(identifier, lane, label, rank, metadata, byte_count, first_seen_wall, last_seen_wall,
              state, reason, note, due_at, enrolled_at, signature, service, occurred_wall, admitted_at, method, url, header_names,
              body_path, body_hash)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(transfer.identifier), .text(transfer.lane.name), .text(transfer.label),
                SQLiteValue(transfer.rank), .text(transfer.metadata), .integer(transfer.byteCount),
                .integer(transfer.seenWall), .integer(transfer.seenWall),
            ] + beginning(of: transfer) + [
                .integer(now), SQLiteValue(transfer.signature), SQLiteValue(transfer.service),
                SQLiteValue(transfer.occurredWall),
                SQLiteValue(transfer.countedSignature.map { _ in now - age }),
            ] + Self.values(of: transfer.request))
    }

    /// State, reason, note and due time of a transfer that begins.
    private func beginning(of transfer: NewTransfer) -> [SQLiteValue] {
        guard let note = transfer.routeNote else {
            return [.text(TransferState.queued.rawValue), .null, .null, .integer(now)]
        }
        return [.text(TransferState.held.rawValue), .text(HoldReason.route.rawValue), .text(note), .null]
    }

    private static func values(of request: TransferRecord.StoredRequest?) -> [SQLiteValue] {
        guard let request else { return Array(repeating: .null, count: 5) }
        return [
            .text(request.method), .text(request.url),
            .text(request.headerNames.joined(separator: "\n")), .text(request.bodyPath), .text(request.bodyHash),
        ]
    }

    /// Counts that the same content was handed in again.
    package func count(_ identifier: String, seenWall: Int64) throws {
        try connection.run(
            "UPDATE transfer SET seen=seen+1, last_seen_wall=max(last_seen_wall, ?) WHERE identifier=?",
            .integer(seenWall), .text(identifier))
    }

    /// Begins a transfer again whose bytes were lost and have come again: everything is new except its history.
    package func revive(_ transfer: NewTransfer) throws {
        try connection.run(
            """
            UPDATE transfer SET seen=seen+1, last_seen_wall=max(last_seen_wall, ?), lane=?, label=?, rank=?, metadata=?,
              byte_count=?, state=?, reason=?, note=?, due_at=?, epoch=NULL, is_suspect=0, charged=0,
              failures=0, strikes=0, accepted_mark=NULL, enrolled_at=?, settled_at=NULL, is_acknowledged=0,
              answer=NULL, progress=NULL, cuts=0, cut_byte_count=NULL, cut_ms=NULL,
              signature=?, service=?, occurred_wall=?, admitted_at=?, method=?, url=?, header_names=?, body_path=?,
              body_hash=?
            WHERE identifier=?
            """,
            [
                .integer(transfer.seenWall), .text(transfer.lane.name), .text(transfer.label),
                SQLiteValue(transfer.rank), .text(transfer.metadata), .integer(transfer.byteCount),
            ] + beginning(of: transfer) + [
                .integer(now), SQLiteValue(transfer.signature), SQLiteValue(transfer.service),
                SQLiteValue(transfer.occurredWall), SQLiteValue(transfer.countedSignature.map { _ in now }),
            ] + Self.values(of: transfer.request) + [.text(transfer.identifier)])
    }

    /// Ends a transfer for a reason that does not come from an attempt.
    package func end(
        _ identifier: String, as state: TransferState, reason: EndReason, note: String? = nil
    ) throws {
        try connection.run(
            """
            UPDATE transfer SET state=?, reason=?, note=?, due_at=NULL, epoch=NULL, is_suspect=0, settled_at=?
            WHERE identifier=?
            """, .text(state.rawValue), .text(reason.rawValue), SQLiteValue(note), .integer(now),
            .text(identifier))
    }

    /// Makes a transfer due now, as if it had never failed. Its history stays.
    package func restart(_ identifier: String) throws {
        try connection.run(
            """
            UPDATE transfer SET state=CASE WHEN attempts=0 THEN 'queued' ELSE 'waiting' END, reason=NULL, note=NULL,
              due_at=?, epoch=NULL, is_suspect=0, charged=0, failures=0, strikes=0, accepted_mark=NULL, enrolled_at=?,
              settled_at=NULL, cuts=0, cut_byte_count=NULL, cut_ms=NULL
            WHERE identifier=? AND state <> 'sending'
            """, .integer(now), .integer(now), .text(identifier))
    }

    // MARK: - Tokens

    /// Stores the token of an order or of a source, in the same transaction as its effect.
    /// - Returns: whether the token is new; `false` means that the effect is there already.
    package func consume(token: String) throws -> Bool {
        try connection.run(
            "INSERT INTO consumed_token(token, consumed_at) VALUES(?, ?) ON CONFLICT DO NOTHING", .text(token),
            .integer(now))
        return connection.changedRowCount == 1
    }

    /// Forgets a token that cannot come again.
    package func forget(token: String) throws(SQLiteError) {
        try connection.run("DELETE FROM consumed_token WHERE token=?", .text(token))
    }

    /// Forgets tokens that cannot come again. If there are very many, it forgets only a part of them.
    func forget(tokensWithPrefix prefix: String) throws(SQLiteError) {
        try connection.run(
            """
            DELETE FROM consumed_token WHERE token IN (SELECT token FROM consumed_token WHERE token >= ? AND token < ?
              LIMIT \(Self.forgottenTokenCount))
            """, .text(prefix), .text(prefix + "\u{7f}"))
    }
}
