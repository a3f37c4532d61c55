import Background
import DurableIO

/// The intake for as long as a run lasts: it looks each second, and brings in what it found, piece by piece.
///
/// A large drop is collected beside the others, one at a time. Drops that may have killed the process come last, when
/// nothing else is left to take in, and each has the process to itself.
struct IntakeLoop {
    private let intake: Intake
    private let handover: Handover
    /// When the run is told to end, on the boot clock in milliseconds; `nil` where nobody knows.
    private let endsAt: Int64?
    private let startedAt: Int64

    init(_ intake: Intake, _ handover: Handover, endsAt: Int64?) {
        self.intake = intake
        self.handover = handover
        self.endsAt = endsAt
        startedAt = intake.spool.clock.bootMilliseconds
    }

    /// How often it looks: each second. Where there is so much that looks take long, they take a tenth of the time, but
    /// for the first two seconds.
    private static let lookInterval: Int64 = 1_000
    private static let lookShare: Int64 = 10
    private static let freeLookTime: Int64 = 2_000
    /// How long a drop whose writers cannot be seen is waited for: 2.5 s.
    private static let youngDropPatience: Int64 = 2_500
    private static let youngDropInterval: Int64 = 100
    /// How long what comes last waits for the drive to have nothing more to send: 10 s, or half of the time there is.
    private static let lastPatience: Int64 = 10_000

    private var now: Int64 { intake.spool.clock.bootMilliseconds }

    /// Runs until nothing is left to take in and the drive can send nothing more, or the task is cancelled.
    func run() async throws -> Intake.Summary {
        var list = IntakeList(intake)
        var looks = Looks(startedAt)
        let singles = SingleDrops(intake, handover)
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                // Through the open descriptors a directory that is gone looks like one into which nothing is dropped.
                guard intake.spool.isInPlace else { throw intake.spool.goneError }
                try? await intake.spool.clock.sleep(milliseconds: looks.rest(at: now))
                let seen = handover.changeCount
                let wasDry = handover.isDry
                let nextLook = try await look(&list, singles, &looks)
                let hasCome = try await bringIn(&list, singles, until: nextLook, in: &group)
                if Task.isCancelled || hasCome || !list.isEmpty { continue }
                if singles.isBusy {
                    await handover.waitForChange(since: seen, atMost: nextLook - now, clock: intake.spool.clock)
                } else if await bringInSuspects(&list, singles, until: nextLook, in: &group) {
                    continue
                } else if mayBecomeComplete(list) {
                    // What was only changing a moment ago is complete at a second look.
                    if list.lookCount == 1 { continue }
                    try? await intake.spool.clock.sleep(milliseconds: Self.youngDropInterval)
                } else if list.cutCount > 0 {
                    continue
                } else if wasDry, list.suspects.isEmpty, singles.isIdle {
                    // What the look has not found came after the drive had nothing more to send.
                    break
                } else {
                    await handover.waitForChange(since: seen, atMost: nextLook - now, clock: intake.spool.clock)
                }
            }
        }
        try await list.endLook()
        list.summary.add(singles.summary)
        return list.summary
    }

    /// - Returns: when to look again.
    private func look(
        _ list: inout IntakeList, _ singles: SingleDrops, _ looks: inout Looks
    ) async throws -> Int64 {
        let begin = now
        let letDriveBegin: (() -> Void)? = list.lookCount > 0 ? nil : { handover.letDriveBegin() }
        let time = LookTime(within: endsAt.map { $0 - begin }, cutCount: list.cutCount)
        try await list.look(for: time, besides: { singles.isUnderWay($0) }, afterEntries: letDriveBegin)
        // What one has not come to, the next one should soon.
        if list.cutCount == 0 { looks.time += now - begin }
        return begin + max(Self.lookInterval, (now - begin) * Self.lookShare)
    }

    /// Brings in what is on the list, until it is time for another look.
    /// - Returns: whether something came in.
    private func bringIn(
        _ list: inout IntakeList, _ singles: SingleDrops, until nextLook: Int64,
        in group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async throws -> Bool {
        var hasCome = false
        while !Task.isCancelled {
            if let entry = singles.chooseLarge(from: &list, isTimeForLast: isTimeForLast) {
                group.addTask { try await singles.bringIn(large: entry) }
            }
            list.isBesideLarge = singles.isBusy
            let count = list.summary.broughtInCount
            let hasMore = try await list.bringInNext()
            if list.summary.broughtInCount > count {
                hasCome = true
                handover.broughtIn()
            }
            if !hasMore || now >= nextLook { break }
        }
        return hasCome
    }

    /// Whether a drop is so young that it may be complete in a moment.
    private func mayBecomeComplete(_ list: IntakeList) -> Bool {
        list.summary.young > 0 && now - startedAt < Self.youngDropPatience
    }

    // MARK: - What comes last

    /// Collects drops that may have killed the process, each while nothing else happens, for as long as others may be
    /// stopped; then others go on beside it.
    ///
    /// Where one had to go beside a transfer that stays under way, the next waits for as long.
    /// - Returns: whether there was one whose time has come.
    private func bringInSuspects(
        _ list: inout IntakeList, _ singles: SingleDrops, until nextLook: Int64,
        in group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async -> Bool {
        var hadOne = false
        while !Task.isCancelled, isTimeForLast, handover.isDry || now >= singles.suspectsRestUntil,
            let entry = singles.chooseSuspect(from: &list)
        {
            let patience = handover.isDry ? 0 : Self.alonePatience
            group.addTask { try await singles.bringIn(suspect: entry, patience: patience) }
            await waitForSuspect(singles)
            hadOne = true
            if singles.isBusy || now >= nextLook { break }
        }
        return hadOne
    }

    private func waitForSuspect(_ singles: SingleDrops) async {
        let end = now + Solitude.stopLength(with: endsAt.map { $0 - now })
        while !Task.isCancelled, now < end {
            let seen = handover.changeCount
            guard singles.isBusy else { return }
            await handover.waitForChange(since: seen, atMost: end - now, clock: intake.spool.clock)
        }
    }

    /// How long what is under way is waited for, when it is time for a suspect all the same: 2 s.
    private static let alonePatience: Int64 = 2_000

    private var isTimeForLast: Bool {
        guard !handover.isDry else { return true }
        let patience = endsAt.map { min(Self.lastPatience, ($0 - startedAt) / 2) } ?? Self.lastPatience
        return now - startedAt >= patience
    }

    /// How much time looks have taken.
    private struct Looks {
        private let startedAt: Int64
        var time: Int64 = 0

        init(_ startedAt: Int64) { self.startedAt = startedAt }

        /// How long to wait for the next one at least, in milliseconds.
        func rest(at now: Int64) -> Int64 {
            max(0, time * IntakeLoop.lookShare - IntakeLoop.freeLookTime - (now - startedAt))
        }
    }
}
