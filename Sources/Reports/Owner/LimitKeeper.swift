import Background
import DurableIO
import Logging

/// The keeper of a spool's limits: it evicts the least important reports until the total size, the count and the age
/// are within the limits. Each victim is named in the ledger with its limit.
///
/// The owner calls the keeper when nothing more can be sent, and never because a report has come in: a report that a
/// healthy server would take is not evicted to make room for another.
struct LimitKeeper {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let logger: Logger
    /// Whether the keeper evicts nothing while the queue has something to claim. A report may come in at any time, and
    /// a healthy server would take it.
    var ifDry = false

    /// The number of victims that share one commit.
    private static let batchCount = 1_000
    /// The *last moments*: how long, in all, keepers go on after the run was told to end, in milliseconds. The next run
    /// evicts the rest.
    private static let lastMoments: Int64 = 500

    func keep() async throws {
        // Two keepers at the same time would both evict reports because of one excess.
        guard sender.beginKeepingLimits() else { return }
        defer { sender.endKeepingLimits() }
        do {
            try await keep { [clock = spool.clock, sender] in
                guard Task.isCancelled else { return false }
                let now = clock.bootMilliseconds
                return now - sender.lastMomentsBegan(at: now) > Self.lastMoments
            }
        } catch is CancellationError {
            // The run was told to end while the keeper read the ledger. The next run reads it again.
        }
    }

    private func keep(until isTimeUp: @Sendable () -> Bool) async throws {
        let limits = spool.options.limits
        let age = max(0, limits.maximumAge.wholeMilliseconds)
        while !isTimeUp() {
            let old = try await queue.enrolled(
                longerAgoThan: age, limit: Self.batchCount, interruptedWhen: isTimeUp)
            guard try await evict(old, to: .age(age)) else { break }
        }
        let room = Room(
            count: limits.maximumCount,
            byteCount: Int64(clamping: limits.total(ofTotal: try spool.files.space(on: spool.root).total)))
        guard try await isExceeded(room), try await areSumsTrue(room, until: isTimeUp) else { return }
        let unfit = try await queue.look(interruptedWhen: isTimeUp) { try $0.larger(than: room.byteCount) }
        _ = try await evict(unfit.filter { $0.state != .sending }, to: .alone(room))
        // If a report that is being sent exceeds the limit of all bytes by itself, the keeper does not evict other
        // reports because of that report.
        let besides = unfit.filter { $0.state == .sending }.reduce(0) { $0 + $1.byteCount }
        let wider = Room(count: room.count, byteCount: room.byteCount + besides)
        while !isTimeUp(), try await isExceeded(wider) {
            let victims = try await queue.look(interruptedWhen: isTimeUp) {
                try $0.evictionCandidates(limit: Self.batchCount)
            }
            guard try await evict(victims, to: .room(wider, named: room)) else { return }
        }
    }

    /// The limits of what may be stored.
    private struct Room: Hashable, Sendable {
        let count: Int
        let byteCount: Int64

        func isExceeded(by stored: Tally.Sum) -> Bool { stored.count > count || stored.byteCount > byteCount }

        /// The limit that the stored reports exceed, with its note.
        func limit(beyondWhich stored: Tally.Sum) -> (reason: EndReason, note: String) {
            stored.count > count
                ? (.countLimit, "at most \(count) reports are stored")
                : (.byteLimit, "at most \(byteCount) bytes are stored in all")
        }
    }

    private enum Limit: Sendable {
        /// The longest age, in milliseconds.
        case age(Int64)
        /// The limit of all bytes, for a report that exceeds this limit by itself.
        case alone(Room)
        case room(Room, named: Room)
    }

    /// Whether more is stored than the limits allow, by the ledger's sums.
    private func isExceeded(_ room: Room) async throws -> Bool {
        room.isExceeded(by: try await queue.look { try $0.tally().stored })
    }

    /// Whether the rows confirm that the limits are exceeded, so that no report is evicted because of a wrong sum.
    private func areSumsTrue(_ room: Room, until isTimeUp: @Sendable () -> Bool) async throws -> Bool {
        if try await queue.look(interruptedWhen: isTimeUp, { try $0.isTallyTrue() }) { return true }
        logger.error("Sums of the ledger were wrong; they are counted anew")
        sender.onEvent(.repaired("the sums of the ledger were wrong: they are counted anew"))
        return room.isExceeded(
            by: try await queue.change(interruptedWhen: isTimeUp) { store in
                try store.recountTally()
                return try store.queries.tally().stored
            })
    }

    /// Evicts rows, and then unlinks their files: no file is unlinked before the commit that allows it has returned.
    /// - Returns: whether any report was evicted.
    private func evict(_ victims: [TransferRecord], to limit: Limit) async throws -> Bool {
        guard !victims.isEmpty else { return false }
        let evicted = try await sender.locks.alone(with: Set(victims.map(\.identifier))) {
            let evicted = try await queue.change(ifDry: ifDry) { store in try Self.evict(victims, limit, store) } ?? []
            sender.moveFiles(of: evicted.map { ($0.identifier, .evicted) })
            return evicted
        }
        sender.countEvicted(evicted.count)
        for victim in evicted {
            logger.notice(
                "Report evicted",
                metadata: [
                    "report.id": "\(victim.identifier)", "reason": "\(victim.reason.rawValue)",
                    "limit": "\(victim.note)",
                ])
            sender.onEvent(
                .evicted(id: victim.identifier, reason: victim.reason.rawValue, limit: victim.note))
        }
        return !evicted.isEmpty
    }

    private typealias Evicted = (identifier: String, reason: EndReason, note: String)

    /// Checks each victim again inside the commit: it may have been delivered or enrolled again since it was chosen.
    private static func evict(
        _ victims: [TransferRecord], _ limit: Limit, _ store: TransferStore
    ) throws -> [Evicted] {
        var stored = try store.queries.tally().stored
        var evicted: [Evicted] = []
        for victim in victims {
            let (reason, note): (EndReason, String)
            switch limit {
            case .age(let age): (reason, note) = (.ageLimit, "kept for \(age / 86_400_000) days")
            case .alone(let room): (reason, note) = (.byteLimit, "at most \(room.byteCount) bytes are stored in all")
            case .room(let room, let named):
                guard room.isExceeded(by: stored) else { return evicted }
                (reason, note) = named.limit(beyondWhich: stored)
            }
            let now = try store.queries.record(victim.identifier)
            guard let now, now.state == victim.state, now.enrolledAt == victim.enrolledAt else { continue }
            try store.end(victim.identifier, as: .evicted, reason: reason, note: note)
            stored = Tally.Sum(count: stored.count - 1, byteCount: stored.byteCount - victim.byteCount)
            evicted.append((victim.identifier, reason, note))
        }
        return evicted
    }
}
