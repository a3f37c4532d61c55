import Background
import DurableIO
import Logging

/// Keeps a spool within its total, its count and its age by evicting what matters least, each victim named with the
/// limit it fell to.
///
/// To be asked when nothing more can be sent, never when something has just come in: a report that a healthy server
/// would take is not evicted to make room for another.
struct LimitKeeper {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let logger: Logger
    /// Whether nothing is evicted while the queue has something to claim: a report may come in at any time, and a
    /// healthy server would take it.
    var ifDry = false

    /// So many victims share a commit.
    private static let batchCount = 1_000
    /// How long a run that is told to end goes on with it, in milliseconds in all; the next run evicts the rest.
    private static let lastMoments: Int64 = 500

    func keep() async throws {
        // Two at a time would evict twice for the same excess.
        guard sender.beginKeepingLimits() else { return }
        defer { sender.endKeepingLimits() }
        do {
            try await keep { [clock = spool.clock, sender] in
                guard Task.isCancelled else { return false }
                let now = clock.bootMilliseconds
                return now - sender.lastMomentsBegan(at: now) > Self.lastMoments
            }
        } catch is CancellationError {
            // While it looked through the ledger. The next run looks again.
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
        // Nobody goes to make up for one that is being sent and does not fit even alone.
        let besides = unfit.filter { $0.state == .sending }.reduce(0) { $0 + $1.byteCount }
        let wider = Room(count: room.count, byteCount: room.byteCount + besides)
        while !isTimeUp(), try await isExceeded(wider) {
            let victims = try await queue.look(interruptedWhen: isTimeUp) {
                try $0.evictionCandidates(limit: Self.batchCount)
            }
            guard try await evict(victims, to: .room(wider, named: room)) else { return }
        }
    }

    /// How much may be stored.
    private struct Room: Hashable, Sendable {
        let count: Int
        let byteCount: Int64

        func isExceeded(by stored: Tally.Sum) -> Bool { stored.count > count || stored.byteCount > byteCount }

        /// The limit that so much stored is beyond, with its words.
        func limit(beyondWhich stored: Tally.Sum) -> (reason: EndReason, note: String) {
            stored.count > count
                ? (.countLimit, "at most \(count) reports are stored")
                : (.byteLimit, "at most \(byteCount) bytes are stored in all")
        }
    }

    private enum Limit: Sendable {
        /// In milliseconds.
        case age(Int64)
        /// Victims that are larger by themselves than everything may be.
        case alone(Room)
        case room(Room, named: Room)
    }

    /// Whether more is stored than there is room for, as the sums say.
    private func isExceeded(_ room: Room) async throws -> Bool {
        room.isExceeded(by: try await queue.look { try $0.tally().stored })
    }

    /// Whether it is so by the rows, too: nothing is evicted on the word of a sum that has gone wrong.
    private func areSumsTrue(_ room: Room, until isTimeUp: @Sendable () -> Bool) async throws -> Bool {
        if try await queue.look(interruptedWhen: isTimeUp, { try $0.isTallyTrue() }) { return true }
        logger.error("Sums of the ledger were wrong; they are counted anew")
        return room.isExceeded(
            by: try await queue.change(interruptedWhen: isTimeUp) { store in
                try store.recountTally()
                return try store.queries.tally().stored
            })
    }

    /// Rows first: nothing is unlinked before the commit that allows it has returned.
    /// - Returns: whether any was evicted.
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
        }
        return !evicted.isEmpty
    }

    private typealias Evicted = (identifier: String, reason: EndReason, note: String)

    /// Judges once more in the commit: some may have been delivered, or come anew, since they were chosen.
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
