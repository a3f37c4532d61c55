import Background
import DurableIO
import Logging

/// Keeps a spool within its total, its count and its age by evicting what matters least, each victim named with the limit
/// it fell to.
///
/// To be asked when nothing more can be sent, never when something has just come in: a report that a healthy server would
/// take is not evicted to make room for another.
struct LimitKeeper {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let logger: Logger

    init(_ spool: ReportSpool, _ queue: TransferQueue, _ sender: ReportSender, _ logger: Logger) {
        self.spool = spool
        self.queue = queue
        self.sender = sender
        self.logger = logger
    }

    func keep() async throws {
        let limits = spool.options.limits
        try await evictOld(limits)
        let total = Int64(clamping: limits.total(ofTotal: try spool.files.space(on: spool.root).total))
        while let excess = try await excess(over: limits, total: total) {
            let victims = try await victims(of: excess, total: total)
            guard try await evict(victims, excess) > 0 else { return }
        }
    }

    private struct Excess {
        let count: Int
        let byteCount: Int64
        let reason: EndReason
        let note: String
    }

    private func excess(over limits: SpoolLimits, total: Int64) async throws -> Excess? {
        let stored = try await queue.look { try $0.tally() }.stored
        let (count, bytes) = (stored.count - limits.maximumCount, stored.byteCount - total)
        if count > 0 {
            let note = "at most \(limits.maximumCount) reports are stored"
            return Excess(count: count, byteCount: bytes, reason: .countLimit, note: note)
        }
        guard bytes > 0 else { return nil }
        let note = "at most \(total) bytes are stored in all"
        return Excess(count: count, byteCount: bytes, reason: .byteLimit, note: note)
    }

    /// As many as bring the spool back within its limits, 200 at most.
    private func victims(of excess: Excess, total: Int64) async throws -> [TransferRecord] {
        // The others do not go for one that does not fit even alone.
        let unfit = excess.byteCount > 0 ? try await queue.look { try $0.larger(than: total, limit: 200) } : []
        guard unfit.isEmpty else { return unfit }
        var (count, bytes) = (excess.count, excess.byteCount)
        var victims: [TransferRecord] = []
        for candidate in try await queue.look({ try $0.evictionCandidates(limit: 200) }) where count > 0 || bytes > 0 {
            victims.append(candidate)
            count -= 1
            bytes -= candidate.byteCount
        }
        return victims
    }

    private func evictOld(_ limits: SpoolLimits) async throws {
        let age = limits.maximumAge.components.seconds * 1_000
        let note = "kept for \(age / 86_400_000) days"
        while true {
            let old = try await queue.enrolled(longerAgoThan: age, limit: 200)
            let excess = Excess(count: old.count, byteCount: 0, reason: .ageLimit, note: note)
            guard !old.isEmpty, try await evict(old, excess) > 0 else { return }
        }
    }

    /// Rows first: nothing is unlinked before the commit that allows it has returned.
    /// - Returns: how many were evicted.
    private func evict(_ victims: [TransferRecord], _ excess: Excess) async throws -> Int {
        let identifiers = victims.map(\.identifier)
        let evicted = try await sender.turns.alone(with: Set(identifiers)) {
            let evicted = try await queue.change { store in
                try identifiers.filter { identifier in
                    guard let state = try store.queries.state(of: identifier), state != .sending,
                        state.isLive || state.isParked
                    else { return false }
                    try store.settle(identifier, as: .evicted, reason: excess.reason, note: excess.note)
                    return true
                }
            }
            sender.releaseFiles(of: evicted.map { ($0, .evicted) })
            return evicted
        }
        sender.countEvicted(evicted.count)
        for identifier in evicted {
            logger.notice(
                "Report evicted",
                metadata: [
                    "report.id": "\(identifier)", "reason": "\(excess.reason.rawValue)", "limit": "\(excess.note)",
                ])
        }
        return evicted.count
    }
}
