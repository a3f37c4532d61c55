/// An origin's gate as stored, with the last trouble it had.
package struct OriginRecord: Hashable, Sendable {
    package var name: String
    package var gate: OriginGate
    package var lastStatus: Int?
    package var lastError: String?

    package init(name: String, gate: OriginGate, lastStatus: Int? = nil, lastError: String? = nil) {
        self.name = name
        self.gate = gate
        self.lastStatus = lastStatus
        self.lastError = lastError
    }

    static let columns = """
        name, closure, reason, opens_at, send_window, failures, accepted, rejections, refusals, last_status, last_error
        """

    init(_ row: SQLiteStatement) {
        name = row.text(at: 0) ?? ""
        let opensAt = row.integer(at: 3)
        let closure: OriginGate.Closure? =
            switch row.text(at: 1) {
            case "backing-off": .backingOff(until: opensAt)
            case "asked": .asked(until: opensAt)
            case "held": .held(row.text(at: 2).flatMap(HoldReason.init) ?? .auth, nextProbe: opensAt)
            default: nil
            }
        gate = OriginGate(
            closure: closure, window: Int(row.integer(at: 4)), failures: Int(row.integer(at: 5)),
            accepted: row.integer(at: 6), rejectionsInARow: Int(row.integer(at: 7)),
            refusalsInARow: Int(row.integer(at: 8)))
        lastStatus = row.optionalInteger(at: 9).map { Int($0) }
        lastError = row.text(at: 10)
    }

    fileprivate var closureName: String? {
        switch gate.closure {
        case nil: nil
        case .backingOff: "backing-off"
        case .asked: "asked"
        case .held: "held"
        }
    }
}

extension LedgerQueries {
    package func origins() throws -> [OriginRecord] {
        try connection.rows("SELECT \(OriginRecord.columns) FROM origin ORDER BY name", [], OriginRecord.init)
    }

    /// The origin to which each destination's lane led last.
    package func lanes() throws -> [Lane: String] {
        Dictionary(
            uniqueKeysWithValues: try connection.rows("SELECT name, origin FROM lane") { row in
                (Lane(row.text(at: 0) ?? ""), row.text(at: 1) ?? "")
            })
    }
}

extension TransferStore {
    /// Stores a gate after an attempt has gone through it, or has tried to.
    package func save(_ origin: OriginRecord) throws {
        try connection.run(
            """
            INSERT OR REPLACE INTO origin(\(OriginRecord.columns), used_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(origin.name), SQLiteValue(origin.closureName), SQLiteValue(origin.gate.holdReason?.rawValue),
            SQLiteValue(origin.gate.opensAt), SQLiteValue(origin.gate.window), SQLiteValue(origin.gate.failures),
            .integer(origin.gate.accepted), SQLiteValue(origin.gate.rejectionsInARow),
            SQLiteValue(origin.gate.refusalsInARow), SQLiteValue(origin.lastStatus), SQLiteValue(origin.lastError),
            .integer(now))
    }

    /// Remembers to which origin a lane leads in this run, for readers.
    package func save(_ lane: Lane, leadsTo origin: String) throws {
        try connection.run("INSERT OR REPLACE INTO lane(name, origin) VALUES(?, ?)", .text(lane.name), .text(origin))
    }

    /// How long an origin to which no row leads is remembered after its last use: 24 hours, in milliseconds.
    package static let idleOriginAge: Int64 = 86_400_000

    /// Forgets origins to which no unfinished row leads and to which nothing was sent for a day. Never forgets an
    /// origin whose gate is closed until a later time, because nothing may be sent there before that time.
    func forgetIdleOrigins() throws(SQLiteError) {
        let live = "(state='queued' OR state='sending' OR state='waiting' OR state='held')"
        try connection.run(
            """
            DELETE FROM origin WHERE used_at < ? AND (opens_at IS NULL OR opens_at <= ?) AND name NOT IN (
              SELECT ifnull(lane.origin, substr(tally.lane, 2)) FROM tally LEFT JOIN lane ON lane.name=tally.lane
              WHERE count > 0 AND \(live))
            """, .integer(now - Self.idleOriginAge), .integer(now))
        try connection.run(
            "DELETE FROM lane WHERE origin NOT IN (SELECT name FROM origin) AND name NOT IN (SELECT lane FROM tally)")
        try connection.run("DELETE FROM tally WHERE count=0")
    }
}
