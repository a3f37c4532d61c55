extension LedgerQueries {
    /// When the oldest undelivered transfer of each lane was seen first, in milliseconds since the epoch. A transfer is
    /// undelivered if it is live and no route holds it. Lanes without such a transfer are left out.
    ///
    /// No index has the transfers of a lane in the order of their age. The query looks at each transfer of a lane that
    /// has few, and walks through all transfers of a state by age for a lane that has many.
    package func oldestLive() throws -> [Lane: Int64] {
        var oldest: [Lane: Int64] = [:]
        let sums = try laneSums()
        var heldByRoute: [Lane: Int] = [:]
        for held in try heldCounts() where held.reason == .route { heldByRoute[held.lane] = held.count }
        for part in AgePart.allCases {
            var counts: [Lane: Int] = [:]
            for one in sums where part.states.contains(one.state) { counts[one.lane, default: 0] += one.sum.count }
            let total = counts.values.reduce(0, +)
            for (lane, count) in counts {
                let sought = count - (part == .held ? heldByRoute[lane] ?? 0 : 0)
                guard sought > 0 else { continue }
                // A lane that has all of them is the first that the walk comes across.
                let isWalked = sought == total || sought > Self.agedLookCount
                let found = try isWalked ? oldestByWalk(of: lane, in: part) : oldestByLook(of: lane, in: part)
                if let found { oldest[lane] = min(oldest[lane] ?? .max, found) }
            }
        }
        return oldest
    }

    /// A lane with at most this number of transfers has few.
    private static let agedLookCount = 10_000

    /// Live transfers that one index has by their lanes.
    private enum AgePart: CaseIterable {
        case due
        case sending
        case held

        var states: [TransferState] {
            switch self {
            case .due: [.queued, .waiting]
            case .sending: [.sending]
            case .held: [.held]
            }
        }
    }

    private func oldestByWalk(of lane: Lane, in part: AgePart) throws -> Int64? {
        try part.states.compactMap { state in
            try connection.value(
                """
                SELECT first_seen_wall FROM transfer INDEXED BY transfer_state
                WHERE state=? AND lane=? AND reason IS NOT '\(HoldReason.route.rawValue)'
                ORDER BY first_seen_wall, id LIMIT 1
                """, .text(state.rawValue), .text(lane.name))?.integer
        }.min()
    }

    private func oldestByLook(of lane: Lane, in part: AgePart) throws -> Int64? {
        let rows =
            switch part {
            case .due: "transfer_due WHERE due_at IS NOT NULL AND lane=? AND (state='queued' OR state='waiting')"
            // Few transfers are under way at a time.
            case .sending: "transfer_state WHERE state='sending' AND lane=?"
            case .held:
                "transfer_held WHERE state='held' AND lane=? AND reason IS NOT '\(HoldReason.route.rawValue)'"
            }
        return try connection.value(
            "SELECT min(first_seen_wall) FROM transfer INDEXED BY \(rows)", .text(lane.name))?.integer
    }
}
