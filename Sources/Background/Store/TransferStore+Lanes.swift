/// The moves of transfers from lane to lane, because another decision was made about where they go.
extension TransferStore {
    /// Moves an unfinished transfer to another lane, where it is due now: its failures and waits belong to the origin
    /// of the lane that it leaves. A transfer that may be to blame for the death of a process stays suspect, and waits
    /// as before. A transfer under way, or one that has ended, is left alone.
    package func move(_ identifier: String, to lane: Lane) throws {
        try connection.run(
            """
            UPDATE transfer SET lane=? WHERE identifier=? AND is_suspect=1 AND (state='waiting' OR state='held')
            """, .text(lane.name), .text(identifier))
        try connection.run(
            """
            UPDATE transfer SET lane=?, state=CASE WHEN attempts=0 THEN 'queued' ELSE 'waiting' END, reason=NULL,
              note=NULL, due_at=?, charged=0, failures=0, accepted_mark=NULL, enrolled_at=?, progress=NULL, cuts=0,
              cut_byte_count=NULL, cut_ms=NULL
            WHERE identifier=? AND is_suspect=0 AND (state='queued' OR state='waiting' OR state='held')
            """, .text(lane.name), .integer(now), .integer(now), .text(identifier))
    }

    /// Holds an unfinished transfer because no route sends it. A transfer under way, or one that has ended, is left
    /// alone.
    package func hold(_ identifier: String, in lane: Lane, note: String) throws {
        try connection.run(
            """
            UPDATE transfer SET lane=?, state='held', reason='route', note=?, due_at=NULL, is_suspect=0
            WHERE identifier=? AND (state='queued' OR state='waiting' OR state='held')
            """, .text(lane.name), .text(note), .text(identifier))
    }

    /// Writes a note for people into the rows of a lane that are to be sent and have none.
    package func note(_ text: String, onLane lane: Lane) throws {
        try connection.run(
            "UPDATE transfer SET note=? WHERE lane=? AND due_at IS NOT NULL AND note IS NULL", .text(text),
            .text(lane.name))
    }

    /// Takes such a note back.
    package func removeNote(_ text: String, fromLane lane: Lane) throws {
        try connection.run(
            "UPDATE transfer SET note=NULL WHERE lane=? AND due_at IS NOT NULL AND note=?", .text(lane.name),
            .text(text))
    }
}

extension LedgerQueries {
    /// At most so many transfers of a lane that are to be sent.
    package func unsent(in lane: Lane, limit: Int) throws -> [TransferRecord] {
        try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE lane=? AND due_at IS NOT NULL LIMIT ?",
            [.text(lane.name), .integer(Int64(limit))], TransferRecord.init)
    }
}
