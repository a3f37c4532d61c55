import Background

/// A plan of numbered rows whose attempts end with a word.
typealias Plan = SendingPlan<Row, String>

struct Row: Identifiable, Hashable, Sendable {
    let id: Int64
}

extension Plan {
    static let a = "https://a.example:443"
    static let b = "https://b.example:443"

    /// A plan in a drive, whose origins have windows of a size.
    static func driven(window: Int = 4, maximumWindow: Int = 16, origins: [String] = [a, b]) -> Plan {
        let gate = OriginGate(window: window)
        var plan = Plan(
            origins: origins.map { OriginRecord(name: $0, gate: gate) }, maximumWindow: maximumWindow)
        _ = plan.driveBegan()
        return plan
    }

    /// A whole turn: what has ended is judged, what has lapsed is given back, and these rows are claimed.
    /// - Returns: the rows that start, and those that are given back.
    @discardableResult
    mutating func turned(
        claiming rows: [Int64] = [], at origin: String = a, isSuspect: Bool = false
    ) -> (started: [Int64], givenBack: [Int64]) {
        var turn = turn()
        turn.judgeAll()
        let givenBack = turn.lapsedClaims().rows + turn.claimed(rows, at: origin, isSuspect: isSuspect)
        return (committed(turn).map(\.claim.id), givenBack)
    }

    /// - Returns: the row that takes over the slot.
    @discardableResult
    mutating func delivered(_ row: Int64, after duration: Duration = .seconds(1)) -> Int64? {
        ended(row, with: "delivered", letsNextGo: true, after: duration).next?.id
    }

    @discardableResult
    mutating func refused(_ row: Int64) -> Int64? {
        ended(row, with: "refused", letsNextGo: false, after: .seconds(1)).next?.id
    }

    // MARK: - What is where

    func waiting(at origin: String = a) -> [Int64] {
        lines[origin].map { Array($0.waiting) } ?? []
    }

    var running: Set<Int64> {
        Set(transfers.filter { if case .running = $0.value.stage { true } else { false } }.keys)
    }

    var ends: [Int64] { turn().ends.map(\.claim.id) }
}

extension Plan.Turn {
    /// Claims rows, and means that no more are due.
    mutating func claimed(_ rows: [Int64], at origin: String = Plan.a, isSuspect: Bool = false) -> [Int64] {
        claimed(rows.map(Row.init), at: origin, isSuspect: isSuspect, now: 0).rows
    }

    mutating func judgeAll() {
        for end in ends { _ = judged(end.claim.id) }
    }
}

extension [Row] {
    var rows: [Int64] { map(\.id) }
}
