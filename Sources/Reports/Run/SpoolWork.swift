import Background
import DurableIO

/// The work of an owner in one run: the intake and the drive, side by side until the run ends.
///
/// Neither waits for the other: a report is sent as soon as it is enrolled, while other drops are still being
/// collected. Each step of a report is durable before the report's next step begins, so a crash while both run
/// leaves the same things behind as a crash while only one of them runs.
struct SpoolWork {
    let owner: SpoolOwner
    /// The time until which the run waits for transfers that are due later, on the boot clock in milliseconds. With
    /// `nil` the run does not wait. With `Int64.max` it waits for ever.
    let waitsUntil: Int64?
    /// The time at which the run is told to end, on the boot clock in milliseconds; `nil` where the owner does not know
    /// it.
    let endsAt: Int64?
    /// The whole length of the run, in milliseconds; `nil` for a run without a deadline.
    let deadline: Int64?
    /// Whether a person or program asked for this run now. If so, closed gates are probed once.
    let isExplicit: Bool
    /// Whether this run sends anything at all.
    let sends: Bool
    /// How the run learns of what comes in, if it lasts until it is cancelled; `nil` for any other run.
    let watching: WatchOptions?

    private let handover = Handover()

    init(
        _ owner: SpoolOwner, waitsUntil: Int64? = nil, endsAt: Int64? = nil, deadline: Int64? = nil,
        isExplicit: Bool = false, sends: Bool, watching: WatchOptions? = nil
    ) {
        self.owner = owner
        self.waitsUntil = waitsUntil
        self.endsAt = endsAt
        self.deadline = deadline
        self.isExplicit = isExplicit
        self.sends = sends
        self.watching = watching
    }

    /// The time between two checks of the spool's limits in a run that lasts: 10 minutes.
    private static let limitsInterval: Int64 = 600_000

    private enum Part: Sendable {
        case intake(Intake.Summary)
        case other
    }

    /// Works until no due report can be sent now and nothing is left to take in, or until the task is cancelled.
    func run() async throws -> Intake.Summary {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { .intake(try await takeIn()) }
            group.addTask {
                try await send()
                return .other
            }
            group.addTask {
                try await keepLimitsMeanwhile()
                return .other
            }
            defer { group.cancelAll() }
            var outcome = Intake.Summary()
            while let part = try await group.next() {
                // The drive ends after the intake. Then nothing is left for which the limits would have to be kept.
                if case .intake(let intake) = part { outcome = intake }
                // In a run that lasts, the drive would wait for ever. The intake ends there because a room is gone.
                if watching != nil { group.cancelAll() }
                if case .other = part { group.cancelAll() }
            }
            return outcome
        }
    }

    private func takeIn() async throws -> Intake.Summary {
        defer { handover.end() }
        let intake = Intake(owner)
        // A run that lasts does it when it watches.
        if watching == nil { intake.sweepRuns() }
        return try await IntakeLoop(intake, handover, endsAt: endsAt, watching: watching).run()
    }

    /// Drives the queue, and drives it again each time the intake has brought in more, until the run is over.
    private func send() async throws {
        var isExplicit = isExplicit
        await handover.waitForBeginning()
        while true {
            let version = handover.version
            if sends {
                try await owner.queue.drive(persistence, isExplicit: isExplicit, until: endsAt, deadline: deadline)
            }
            isExplicit = false
            guard !Task.isCancelled else { return }
            // Nothing more can be sent now, so reports beyond the spool's limits may be evicted.
            try await owner.keepLimits(ifDry: true)
            handover.ranDry(at: version)
            guard await handover.waitForMore(than: version), !Task.isCancelled else { return }
        }
    }

    private var persistence: TransferQueue.Persistence {
        waitsUntil.map { .waiting(until: $0 == .max ? nil : $0) } ?? .whileDue
    }

    /// Keeps the spool's limits every ten minutes, because in a run that lasts the queue may always have something to
    /// send.
    private func keepLimitsMeanwhile() async throws {
        while !Task.isCancelled {
            try? await owner.spool.clock.sleep(milliseconds: Self.limitsInterval)
            if !Task.isCancelled { try await owner.keepLimits() }
        }
    }
}
