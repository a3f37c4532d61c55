import Background
package import DurableIO
import Synchronization

/// One run over a spool: it becomes the owner, takes in new reports, sends the due reports, and resigns.
package struct Submission: Sendable {
    package let spool: ReportSpool
    package var configuration: SpoolOwner.Configuration
    /// The length of the run, in milliseconds; `nil` for a run without a deadline. At the deadline, the run stops the
    /// transfers under way; their reports are due again in the next run.
    package var deadline: Int64?
    /// How long the run waits for transfers that are due later, in milliseconds from its beginning; `nil` means that it
    /// does not wait.
    package var wait: Int64?
    /// Whether the run waits while another owner does the due work. The default is `true`; otherwise it returns
    /// immediately and leaves that work to the owner.
    package var waitsForOwner = true
    /// Whether a person or program asked for this run now. If so, closed gates are probed once. The default is `true`.
    package var isExplicit = true
    /// How a run that lasts (``isLasting``) learns of what comes in.
    package var watching = WatchOptions()
    /// Called once when the run begins to wait for another owner. The first argument is the other owner, or `nil` if
    /// the lock file does not name it. The second argument is the longest time to wait, in milliseconds.
    /// A run that lasts waits for ever, with `Int64.max`.
    package var onWaiting: @Sendable (_ owner: LockHolder?, _ patience: Int64) -> Void = { _, _ in }

    /// The counts of all owners of this run, including those that ended with an error.
    private let done = Done()

    private final class Done: Sendable {
        private let progress = Mutex(SubmissionProgress())

        func add(_ other: SubmissionProgress) { progress.withLock { $0 += other } }

        func reset() -> SubmissionProgress {
            progress.withLock { progress in
                defer { progress = SubmissionProgress() }
                return progress
            }
        }
    }

    package init(spool: ReportSpool, configuration: SpoolOwner.Configuration) {
        self.spool = spool
        self.configuration = configuration
    }

    /// How long a run without a deadline waits for another owner: 60 s.
    static let ownerPatience: Int64 = 60_000
    static let pollInterval: Int64 = 100

    /// Whether the run goes on until it is cancelled, or until a room of the spool is removed or replaced.
    var isLasting: Bool { wait == .max }

    /// Runs until no due report can be sent now, the deadline has come, or the task is cancelled.
    package func run() async throws -> SubmissionSummary {
        _ = done.reset()
        var summary: SubmissionSummary
        do {
            summary = try await runOnce()
        } catch let error as SQLiteError where error.isDamage {
            summary = try await SpoolErrors.explaining { try await runAgain(after: error) }
        } catch {
            throw SpoolErrors.explained(error)
        }
        summary.add(done.reset())
        return summary
    }

    /// Runs again after damage in the ledger: first with a check of the whole ledger, and if the damage is met again,
    /// with a new ledger that is rebuilt.
    private func runAgain(after damage: SQLiteError) async throws -> SubmissionSummary {
        var next = self
        next.configuration.ledgerDamage = configuration.ledgerDamage.afterMeeting(damage)
        do {
            return try await next.runOnce()
        } catch let error as SQLiteError where error.isDamage && next.configuration.ledgerDamage == .metOnce {
            return try await next.runAgain(after: error)
        }
    }

    private func runOnce() async throws -> SubmissionSummary {
        do {
            return try await runInTime()
        } catch is CancellationError {
            return try standing()
        }
    }

    private func runInTime() async throws -> SubmissionSummary {
        guard let deadline else { return try await runToEnd() }
        return try await withThrowingTaskGroup(of: SubmissionSummary?.self) { group in
            // This work gets a thread of its own. The program has only as many threads as cores, and while they are all
            // busy no task would notice that the time is up.
            group.addTask(executorPreference: OwnThreads.shared) { try await runToEnd() }
            group.addTask { [clock = spool.clock] in
                try? await clock.sleep(milliseconds: deadline)
                return nil
            }
            defer { group.cancelAll() }
            while let first = try await group.next() {
                if let summary = first { return summary }
                // The cancelled run stops the transfers under way, and still returns its counts.
                group.cancelAll()
            }
            return SubmissionSummary()
        }
    }

    private func runToEnd() async throws -> SubmissionSummary {
        var summary = SubmissionSummary()
        let start = spool.clock.bootMilliseconds
        var leftovers: Set<Intake.Place> = []
        var patience = Patience()
        defer { takeBack(patience) }
        while true {
            guard let owner = try await becomeOwner() else {
                if isLasting {
                    try await waitForLock(&patience)
                    if Task.isCancelled { return summary }
                    continue
                }
                switch try await waitForOwner(since: start, &patience) {
                case .tryAgain: continue
                case .done(let found):
                    summary.owner = holder
                    return summary.counting(found)
                case .givenUp: break
                }
                summary.isOwnedElsewhere = true
                summary.owner = holder
                return try summary.counting(SpoolInspector(spool: spool).summary())
            }
            // What the order asks for, this run does by itself.
            takeBack(patience)
            summary.repairs += owner.repairs
            for repair in owner.repairs { configuration.onEvent(.repaired(repair)) }
            // A producer that published after this run's last look found the lock held, and left its report to this
            // run. So the run looks again before it returns. If another owner has taken that report in meanwhile, the
            // counts of that owner are used.
            let isComplete = try await session(owner, start, &summary, &leftovers)
            if Task.isCancelled { return summary }
            if isLasting {
                // The caller opens the spool again, and so makes the rooms that are missing.
                guard spool.hasItsRooms else { return summary }
            } else if isComplete && !hasNewArrivals(besides: leftovers) {
                return summary
            }
        }
    }

    /// Becomes the owner. A run that lasts waits for space if it was the owner before: another program has taken the
    /// space that there was a moment ago.
    /// - Returns: `nil` when another process is the owner.
    private func becomeOwner() async throws -> SpoolOwner? {
        let renewals = watching.renewals
        var hasTold = false
        while true {
            do {
                let owner = try await SpoolOwner.become(of: spool, configuration)
                if hasTold { configuration.onEvent(.noSpace(nil)) }
                if owner != nil { renewals.begin(at: spool.clock.bootMilliseconds) }
                return owner
            } catch {
                guard isLasting, renewals.isRenewing, isForWantOfSpace(error), !Task.isCancelled else { throw error }
                if !hasTold { configuration.onEvent(.noSpace("\(error)")) }
                hasTold = true
            }
            watching.onPulse()
            try await spool.clock.sleep(milliseconds: min(Self.spaceInterval, watching.pulseInterval ?? .max))
        }
    }

    /// The time between two tries to become the owner again on a full disk, in milliseconds.
    private static let spaceInterval: Int64 = 10_000

    private func isForWantOfSpace(_ error: any Error) -> Bool {
        SpoolErrors.isOutOfSpace(error) || (error as? ReportsError)?.code == .cannotWrite
    }

    // MARK: - As the owner

    /// Works as the owner and resigns.
    /// - Returns: `true` if no source arrived between the run's last look and the making of the summary. Also `true` if
    ///   the task was cancelled: such a run does not look for new sources.
    private func session(
        _ owner: SpoolOwner, _ start: Int64, _ summary: inout SubmissionSummary, _ leftovers: inout Set<Intake.Place>
    ) async throws -> Bool {
        var isComplete = true
        defer { done.add(owner.sender.progress) }
        do {
            let intake: Intake.Summary
            do {
                intake = try await work(owner, start)
                leftovers = intake.seen
            } catch let error where !(error is SQLiteError) && owner.isCurrent {
                try await owner.keepLimits()
                throw error
            }
            try await owner.keepLimits()
            try await tell(owner, intake, &summary)
            isComplete = Task.isCancelled || !hasNewArrivals(besides: leftovers)
        } catch {
            // The next owner finds an unclean end and reconciles. The lock must not be held when the work has ended.
            await owner.abandon()
            guard spool.isInPlace else {
                configuration.logger.error(
                    "Spool directory removed or replaced", metadata: ["spool.path": "\(spool.root.path)"])
                throw spool.goneError
            }
            throw error
        }
        try await owner.resign()
        return isComplete
    }

    private func work(_ owner: SpoolOwner, _ start: Int64) async throws -> Intake.Summary {
        let work = SpoolWork(
            owner, waitsUntil: wait.map { $0 == .max ? .max : start + $0 }, endsAt: deadline.map { start + $0 },
            deadline: deadline, isExplicit: isExplicit && !watching.renewals.hasRenewed, sends: configuration.sends,
            watching: isLasting ? watching : nil)
        return try await work.run()
    }

    private func tell(
        _ owner: SpoolOwner, _ intake: Intake.Summary, _ summary: inout SubmissionSummary
    ) async throws {
        summary.duplicates += intake.duplicates
        summary.skipped = intake.skipped + intake.young
        let tally = try await owner.queue.look { try $0.tally() }
        let isCutOff = Task.isCancelled || intake.isOutOfSpace
        summary.waiting = tally.waiting.count + intake.misplaced + leftBehind(by: owner.left, includingDrops: isCutOff)
        summary.waiting += owner.filesWithoutRows(tally)
        summary.held = tally.held.count
        if summary.held > 0 { summary.heldByRoute = try await owner.queue.look { try $0.heldCount(for: .route) } }
        summary.nextAttemptMilliseconds = try await owner.queue.nextAttemptWall()
        // Every waiting row has a due time, and only waiting and held rows have one.
        let hasTime = try await owner.queue.look { try $0.nextDue() } != nil
        if tally.waiting.count > 0 && !hasTime || hasTime && (tally.waiting + tally.held).count <= 0 {
            throw SQLiteError.damage("rows, index and sums disagree")
        }
    }

    /// The longest time for which a run looks at drops after its deadline in order to count them, in milliseconds. A
    /// run should end within a second after its deadline; this is a tenth of that second.
    private static let countTime: Int64 = 100

    /// The number of drops and entries that are ready and have no row yet, because the deadline cut the intake off or
    /// the disk had no space.
    ///
    /// A source that cannot be taken in as it is waits for a person, and is counted as skipped.
    private func leftBehind(by left: LeftSources, includingDrops: Bool) -> Int {
        let zone = DropZone(spool: spool)
        let taken = (try? zone.takenDrops()) ?? []
        var count = taken.count { drop in
            guard drop.readiness == .beingTaken else { return false }
            return left.cause(of: LeftSources.Key(drop.path, drop.facts)).map(\.isPassing) ?? true
        }
        count += ((try? spool.files.entries(of: spool.collected)) ?? []).count { entry in
            guard StoredReport.id(in: entry) != nil else { return false }
            if case .notUnlinked = left.cause(of: LeftSources.Key("collected/\(entry)", nil)) { return false }
            return true
        }
        guard includingDrops else { return count }
        return count + zone.readyCount(within: Self.countTime)
    }
}
