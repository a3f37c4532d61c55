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

extension TransferStore {
    package func save(_ origin: OriginRecord) throws {
        try connection.run(
            "INSERT OR REPLACE INTO origin(\(OriginRecord.columns)) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            .text(origin.name), SQLiteValue(origin.closureName), SQLiteValue(origin.gate.holdReason?.rawValue),
            SQLiteValue(origin.gate.opensAt), SQLiteValue(origin.gate.window), SQLiteValue(origin.gate.failures),
            .integer(origin.gate.accepted), SQLiteValue(origin.gate.rejectionsInARow),
            SQLiteValue(origin.gate.refusalsInARow), SQLiteValue(origin.lastStatus), SQLiteValue(origin.lastError))
    }
}
