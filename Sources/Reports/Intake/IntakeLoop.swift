import Background
import DurableIO

/// The loop of an intake in one run: it looks for sources each second, and brings in the sources that it has found. In a
/// run that lasts, it looks when a watcher says that something may have come (``Vigil``), and not in between.
///
/// The intake collects a large drop beside the small drops, and never two large drops at the same time. Suspect drops,
/// which may have killed a process, come last, when no other source is left. The intake collects a suspect drop while
/// no transfer is sent and no other drop is collected.
struct IntakeLoop {
    private let intake: Intake
    private let handover: Handover
    /// When the run is told to end, on the boot clock in milliseconds; `nil` when the owner does not know.
    private let endsAt: Int64?
    private let startedAt: Int64
    /// What a run that lasts waits for between its looks; `nil` for any other run.
    private let vigil: Vigil?

    init(_ intake: Intake, _ handover: Handover, endsAt: Int64?, watching: WatchOptions? = nil) {
        self.intake = intake
        self.handover = handover
        self.endsAt = endsAt
        vigil = watching.map { Vigil(intake, handover, $0) }
        startedAt = intake.spool.clock.bootMilliseconds
    }

    /// The time from one look to the next, in milliseconds. If looks take long because there are many sources, the time
    /// between looks grows (``LookPace``).
    private static let lookInterval: Int64 = 1_000
    private static let lookShare: Int64 = 10
    /// How long the loop waits for a drop that may still be open in a program that this process cannot see, in
    /// milliseconds: 2.5 s.
    private static let youngDropPatience: Int64 = 2_500
    private static let youngDropInterval: Int64 = 100
    /// How long suspect drops, and drops that were begun earlier, wait until the drive can send nothing more: 10 s, or
    /// half of the run's time if that is shorter.
    private static let lastPatience: Int64 = 10_000

    private var now: Int64 { intake.spool.clock.bootMilliseconds }

    /// Runs until nothing is left to take in and the drive can send nothing more, or the task is cancelled.
    func run() async throws -> Intake.Summary {
        var list = IntakeList(intake)
        var pace = LookPace(startedAt: startedAt)
        let singles = SingleDrops(intake, handover)
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                // The directory may be gone. Through its open descriptor it would look like an empty directory.
                guard intake.spool.isInPlace else { throw intake.spool.goneError }
                await rest(pace)
                // Before anything is looked at: what comes from here on is looked at again.
                let (seen, arrivals) = (handover.changeCount, handover.arrivals)
                if let vigil, try await !vigil.mayLook(&pace) { break }
                let wasDry = handover.isDry
                let nextLook = try await look(&list, singles, &pace)
                let hasCome = try await bringIn(&list, singles, until: nextLook, in: &group)
                vigil?.hasLooked(hasCome: hasCome)
                if Task.isCancelled || hasCome || !list.isEmpty { continue }
                if singles.isBusy {
                    await handover.waitForChange(since: seen, atMost: nextLook - now, clock: intake.spool.clock)
                } else if await bringInSuspects(&list, singles, until: nextLook, in: &group) {
                    continue
                } else if let vigil {
                    let hasPlans = !list.suspects.isEmpty || !singles.isIdle
                    let plan = hasPlans ? Self.lookInterval : singles.nextTry.map { $0 - now }
                    try await vigil.keep(&list, since: arrivals, atMost: plan)
                } else if mayBecomeComplete(list) {
                    // A drop that was changing at the first look may be complete at a second look.
                    if list.lookCount == 1 { continue }
                    try? await intake.spool.clock.sleep(milliseconds: Self.youngDropInterval)
                } else if list.cutCount > 0 {
                    continue
                } else if wasDry, list.suspects.isEmpty, singles.isIdle {
                    // The drive had nothing more to send before this look began, and the look has found nothing. The
                    // last check of the run finds sources that came later (``Submission``).
                    break
                } else {
                    await handover.waitForChange(since: seen, atMost: nextLook - now, clock: intake.spool.clock)
                }
            }
        }
        try await list.endLook(isLast: true)
        list.summary.add(singles.summary)
        return list.summary
    }

    /// Waits until the next look may begin.
    private func rest(_ pace: LookPace) async {
        let end = now + pace.rest(at: now)
        while now < end, !Task.isCancelled {
            vigil?.pulse()
            try? await intake.spool.clock.sleep(milliseconds: min(end - now, vigil?.pulseInterval ?? .max))
        }
    }

    /// Looks for sources.
    /// - Returns: when to look again, on the boot clock in milliseconds.
    private func look(
        _ list: inout IntakeList, _ singles: SingleDrops, _ pace: inout LookPace
    ) async throws -> Int64 {
        let begin = now
        let awake = intake.spool.clock.awakeMilliseconds
        let letDriveBegin: (() -> Void)? = list.lookCount > 0 ? nil : { handover.letDriveBegin() }
        let limit = LookTime(within: endsAt.map { $0 - begin }, cutCount: list.cutCount)
        try await list.look(for: limit, besides: { singles.isUnderWay($0) }, afterEntries: letDriveBegin)
        // A look that had no time to go through all drops does not count here, so that the next look comes soon.
        // The machine may have slept for hours in the midst of a look, which is no reason to rest for ten times as long.
        let time = intake.spool.clock.awakeMilliseconds - awake
        if list.cutCount == 0 { pace.note(time, at: now) }
        return begin + max(Self.lookInterval, time * Self.lookShare)
    }

    /// Brings in sources of the list, until the list is empty or it is time for another look.
    /// - Returns: whether the intake has brought in something.
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
            vigil?.pulse()
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

    /// Whether the last look has found a drop that may be complete in a moment.
    private func mayBecomeComplete(_ list: IntakeList) -> Bool {
        list.summary.young > 0 && now - startedAt < Self.youngDropPatience
    }

    // MARK: - What comes last

    /// Collects the suspect drops, one after another. Transfers and other drops wait for a suspect drop, for as long as
    /// they may be stopped. Then they go on beside it.
    ///
    /// If a transfer stays under way, the intake collects the suspect drop beside it. Then the next suspect drop waits
    /// for ``Solitude/longestStop``, or until the drive can send nothing more.
    /// - Returns: whether there was a suspect drop to be collected now.
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

    /// How long a suspect drop that has waited long enough still waits for the transfers under way: 2 s.
    private static let alonePatience: Int64 = 2_000

    private var isTimeForLast: Bool {
        guard !handover.isDry else { return true }
        let patience = endsAt.map { min(Self.lastPatience, ($0 - startedAt) / 2) } ?? Self.lastPatience
        return now - startedAt >= patience
    }
}
