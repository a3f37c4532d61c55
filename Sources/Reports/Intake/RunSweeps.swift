import CaptureRun
import DurableIO
import Synchronization

/// The looks of a run that lasts after the runs of programs whose wrappers died.
///
/// A look follows each note that a wrapper may have died. What it leaves gets another look: a program that has outlived
/// its wrapper when it ends, of which its process tells; and a run that could not be told of after a second, then after
/// twice as long each time, up to a minute. All of this is lost with the owner, and the next one looks when it begins.
final class RunSweeps: Sendable {
    private struct State {
        var nap = RunSweeps.shortestNap
        /// When the next look comes that nothing tells of, on the boot clock in milliseconds; `nil` for none.
        var dueAt: Int64?
        /// What tells of the ends of ``processes``.
        var ends: ProcessEnds?
        var processes: Set<Int32> = []
    }

    private let intake: Intake
    private let handover: Handover
    /// How many programs are waited for at most. If there are more, they are looked at again and again.
    private let programLimit: Int
    private let state = Mutex(State())

    private static let shortestNap: Int64 = 1_000
    private static let longestNap: Int64 = 60_000

    init(_ intake: Intake, _ handover: Handover, programLimit: Int) {
        self.intake = intake
        self.handover = handover
        self.programLimit = programLimit
    }

    private var now: Int64 { intake.spool.clock.bootMilliseconds }

    /// Looks after the runs, if something has happened there, or it is time to look again.
    /// - Returns: how long a look took that has found nothing to tell, in milliseconds; else 0. Any user may cause looks
    ///   in a spool that is open to all.
    func lookIfDue() -> Int64 {
        let isNews = handover.takeRunsChange()
        guard isNews || wait == 0 else { return 0 }
        let begin = intake.spool.clock.awakeMilliseconds
        let result = intake.sweepRuns()
        let time = intake.spool.clock.awakeMilliseconds - begin
        let hasLeft = !waitForEnds(of: result.outliving) || result.unfinishedCount > 0
        let now = now
        state.withLock { state in
            if isNews { state.nap = Self.shortestNap }
            state.dueAt = hasLeft ? now + state.nap : nil
            if hasLeft { state.nap = min(2 * state.nap, Self.longestNap) }
        }
        return result.told.isEmpty ? time : 0
    }

    /// How long it takes until it is time to look again, in milliseconds; `nil` while nothing waits for that.
    var wait: Int64? {
        let now = now
        return state.withLock { state in state.dueAt.map { max(0, $0 - now) } }
    }

    /// - Returns: whether a look follows as soon as one of the programs has ended.
    private func waitForEnds(of programs: [OutlivingProgram]) -> Bool {
        let processes = Set(programs.map(\.pid))
        let ends: ProcessEnds? = state.withLock { state in
            // One that has ended is among them no more.
            if processes != state.processes || state.ends == nil {
                state.ends = nil
                if !processes.isEmpty, processes.count <= programLimit {
                    state.ends = ProcessEnds(of: processes) { [handover] in handover.mayHaveCome(inRuns: true) }
                }
                state.processes = processes
            }
            return state.ends
        }
        guard !processes.isEmpty else { return true }
        // One may have ended before its end was waited for, and its number may be another's.
        return ends != nil && programs.allSatisfy { $0.isAlive(intake.spool.clock) }
    }
}
