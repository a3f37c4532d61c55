import Background
import DurableIO

/// An owner's work in a run: the intake and the drive, side by side, for as long as the run lasts.
///
/// Neither waits for the other: a report is sent as soon as it is enrolled, whatever else is still to be taken in. Each
/// step of a report is durable before its next one begins, so that a crash leaves no more than it would in one of the
/// two alone.
struct SpoolWork {
    let owner: SpoolOwner
    /// Waits for what is due later, until this time on the boot clock in milliseconds; `nil` does not wait, and the
    /// largest number has no end.
    let waitsUntil: Int64?
    /// When the run is told to end, on the boot clock in milliseconds; `nil` where nobody knows.
    let endsAt: Int64?
    /// How long the run had from its beginning, in milliseconds; `nil` where nobody knows.
    let deadline: Int64?
    /// Somebody asked for it now: closed gates are probed once.
    let isExplicit: Bool
    /// Whether anything is sent at all.
    let sends: Bool

    private let handover = Handover()

    init(
        _ owner: SpoolOwner, waitsUntil: Int64? = nil, endsAt: Int64? = nil, deadline: Int64? = nil,
        isExplicit: Bool = false, sends: Bool
    ) {
        self.owner = owner
        self.waitsUntil = waitsUntil
        self.endsAt = endsAt
        self.deadline = deadline
        self.isExplicit = isExplicit
        self.sends = sends
    }

    /// How often a run that lasts keeps the spool's limits: 10 minutes.
    private static let limitsInterval: Int64 = 600_000

    private enum Part: Sendable {
        case intake(Intake.Summary)
        case other
    }

    /// Works until nothing that is due can be sent now and nothing is left to take in, or the task is cancelled.
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
                // When the intake ends, the drive does, and then the limits have no more to wait for.
                if case .intake(let intake) = part { outcome = intake }
                if case .other = part { group.cancelAll() }
            }
            return outcome
        }
    }

    private func takeIn() async throws -> Intake.Summary {
        defer { handover.end() }
        return try await IntakeLoop(Intake(owner), handover, endsAt: endsAt).run()
    }

    /// Drives the queue, and drives it again when more has come in, until the run is over.
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
            // Nothing more can be sent now, so that what is beyond the spool's limits may go.
            try await owner.keepLimits(ifDry: true)
            handover.ranDry(at: version)
            guard await handover.waitForMore(than: version), !Task.isCancelled else { return }
        }
    }

    private var persistence: TransferQueue.Persistence {
        waitsUntil.map { .waiting(until: $0 == .max ? nil : $0) } ?? .whileDue
    }

    /// Limits are kept when nothing more can be sent, which in a run that lasts may never be so.
    private func keepLimitsMeanwhile() async throws {
        while !Task.isCancelled {
            try? await owner.spool.clock.sleep(milliseconds: Self.limitsInterval)
            if !Task.isCancelled { try await owner.keepLimits() }
        }
    }
}
