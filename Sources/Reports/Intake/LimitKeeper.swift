import Background
import DurableIO
import Logging

/// Keeps a spool within its limits by evicting what matters least, each victim named with the limit it fell to.
struct LimitKeeper {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let logger: Logger

    func keep() async throws {
        let limits = spool.options.limits
        try await evictOld(limits)
        while let excess = try await excess(over: limits) {
            let victims = try await queue.look { try $0.evictionCandidates(limit: 200) }
            guard !victims.isEmpty else { return }
            var evicted: [TransferRecord] = []
            var (count, bytes) = (excess.count, excess.byteCount)
            for victim in victims where count > 0 || bytes > 0 {
                evicted.append(victim)
                count -= 1
                bytes -= victim.byteCount
            }
            try await evict(evicted, reason: excess.reason)
        }
    }

    private struct Excess {
        let count: Int
        let byteCount: Int64
        let reason: String
    }

    private func excess(over limits: SpoolLimits) async throws -> Excess? {
        let tally = try await queue.look { try $0.tally() }
        let stored = [tally.waiting, tally.held, tally.parked]
        let count = stored.reduce(0) { $0 + $1.count } - limits.maximumCount
        let bytes = stored.reduce(0) { $0 + $1.byteCount } - Int64(clamping: limits.maximumTotalByteCount)
        if count > 0 {
            return Excess(count: count, byteCount: bytes, reason: "limit: at most \(limits.maximumCount) reports")
        }
        guard bytes > 0 else { return nil }
        return Excess(
            count: count, byteCount: bytes, reason: "limit: at most \(limits.maximumTotalByteCount) bytes in all")
    }

    private func evictOld(_ limits: SpoolLimits) async throws {
        let age = limits.maximumAge.components.seconds * 1_000
        while true {
            let old = try await queue.enrolled(longerAgoThan: age, limit: 200)
            guard !old.isEmpty else { return }
            try await evict(old, reason: "limit: kept at most \(age / 86_400_000) days")
        }
    }

    /// Rows first: nothing is unlinked before the commit that allows it has returned.
    private func evict(_ victims: [TransferRecord], reason: String) async throws {
        let identifiers = victims.map(\.identifier)
        let evicted = try await queue.change { store in
            try identifiers.filter { identifier in
                guard let record = try store.queries.record(identifier), record.state != .sending else { return false }
                try store.settle(identifier, as: .evicted, reason: reason)
                return true
            }
        }
        for identifier in evicted {
            guard let id = ContentHash(hex: identifier) else { continue }
            try spool.release(id, as: .evicted)
            logger.warning("Report evicted", metadata: ["report.id": "\(id)", "reason": "\(reason)"])
        }
        sender.noteMovedFiles()
    }
}
