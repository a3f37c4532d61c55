/// The limit of a signature: how many transfers of one signature a client keeps within a time.
///
/// The store notes when a transfer was admitted, and keeps the note whatever becomes of the transfer. A *braked* transfer
/// is one that the client did not admit: its row is evicted from the beginning, and the limit does not count it.
extension TransferStore {
    /// How long the row of a braked transfer is kept: 7 days, in milliseconds. A crash loop makes very many of them.
    package static let brakedAge: Int64 = 7 * 86_400_000

    /// Evicts a transfer that was inserted or revived in this transaction, because the limit of its signature leaves no
    /// room for it. From now on the limit does not count the transfer.
    package func brake(_ identifier: String, note: String) throws {
        try end(identifier, as: .evicted, reason: .signatureLimit, note: note)
        try connection.run("UPDATE transfer SET admitted_at=NULL WHERE identifier=?", .text(identifier))
    }

    package static let oldBrakedDeletion = """
        DELETE FROM transfer WHERE id IN (SELECT id FROM transfer INDEXED BY transfer_evicted
          WHERE state='evicted' AND reason=? AND settled_at < ? ORDER BY settled_at LIMIT ?)
        """

    /// Deletes rows of braked transfers that are old enough, the oldest first.
    package func forgetBraked(atMost limit: Int) throws(SQLiteError) {
        try connection.run(
            Self.oldBrakedDeletion, .text(EndReason.signatureLimit.rawValue), .integer(now - Self.brakedAge),
            .integer(Int64(limit)))
    }
}

extension LedgerQueries {
    /// How many transfers of a signature were admitted after a time on the ledger's axis.
    ///
    /// Counts in the index of admitted transfers, and stops at the limit, so that neither the rows of braked transfers
    /// nor those from before that time cost anything.
    package func admittedCount(of signature: String, after time: Int64, atMost limit: Int) throws -> Int {
        let count = try connection.value(
            Self.admittedQuery, .text(signature), .integer(time), .integer(Int64(limit)))
        return Int(count?.integer ?? 0)
    }

    package static let admittedQuery = """
        SELECT count(*) FROM (SELECT 1 FROM transfer INDEXED BY transfer_admitted
          WHERE admitted_at IS NOT NULL AND signature=? AND admitted_at > ? LIMIT ?)
        """

    /// Whether a transfer is one of those that ``admittedCount(of:after:atMost:)`` counts.
    package func isAdmitted(_ identifier: String, of signature: String, after time: Int64) throws -> Bool {
        try connection.value(
            "SELECT 1 FROM transfer WHERE identifier=? AND signature=? AND admitted_at > ?", .text(identifier),
            .text(signature), .integer(time)) != nil
    }

    /// A signature of which transfers were braked.
    package struct BrakedSignature: Sendable {
        package let signature: String
        package let count: Int
        /// The transfer of the signature that was seen last.
        package let newest: TransferRecord?
    }

    /// How many transfers were braked since a time on the ledger's axis, and how many signatures they have.
    package func brakedCounts(since time: Int64) throws -> (transfers: Int, signatures: Int) {
        try connection.rows(
            """
            SELECT count(*), count(DISTINCT signature) FROM transfer
            WHERE state='evicted' AND reason=? AND settled_at >= ?
            """, [.text(EndReason.signatureLimit.rawValue), .integer(time)]
        ) { (transfers: Int($0.integer(at: 0)), signatures: Int($0.integer(at: 1))) }.first ?? (0, 0)
    }

    /// The signatures of which most transfers were braked since a time on the ledger's axis, at most `limit`.
    package func brakedSignatures(since time: Int64, limit: Int) throws -> [BrakedSignature] {
        try connection.rows(
            """
            SELECT signature, count(*) AS braked FROM transfer
            WHERE state='evicted' AND reason=? AND settled_at >= ? AND signature IS NOT NULL
            GROUP BY signature ORDER BY braked DESC, signature LIMIT ?
            """, [.text(EndReason.signatureLimit.rawValue), .integer(time), .integer(Int64(limit))]
        ) { (signature: $0.text(at: 0) ?? "", count: Int($0.integer(at: 1))) }.map { signature, count in
            BrakedSignature(signature: signature, count: count, newest: try newest(of: signature))
        }
    }

    private func newest(of signature: String) throws -> TransferRecord? {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer WHERE signature=? AND signature IS NOT NULL
            ORDER BY first_seen_wall DESC LIMIT 1
            """, [.text(signature)], TransferRecord.init
        ).first
    }
}
