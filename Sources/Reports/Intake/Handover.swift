import DurableIO

/// The signals between the intake and the drive of an owner. The intake signals that it has brought in reports. The
/// drive signals that it can send nothing more. At the end the intake signals that the run is over.
///
/// A run that does not wait for later work is over in this case: the drive has sent everything that was brought in
/// before, and after that a look of the intake has found nothing. The signals are lost with the process. The next owner
/// does not need them.
final class Handover: Sendable {
    private struct State {
        /// Whether the drive may begin.
        var mayDrive = false
        /// The number of signals so far. The intake waits until this number changes.
        var changeCount = 0
        /// The number of times that the intake has brought in something. The drive waits until this number changes.
        var version = 0
        /// The last ``version`` at which the drive had sent everything that can be sent; `nil` if there is none yet.
        var dryVersion: Int?
        var isOver = false
        var arrivals = Arrivals()
        /// Whether a run of a program may have ended without its wrapper since the intake last asked.
        var mayHaveLostRuns = true
    }

    /// The number of times so far that there was something to look at.
    struct Arrivals: Hashable {
        /// Something may have come into the spool.
        var outer = 0
        /// The collecting of a single drop has ended. If it failed, only a look finds the drop again.
        var single = 0
    }

    private let watched = Watched(State())

    // MARK: - The intake's side

    /// Lets the drive begin. The intake calls this when it has enrolled the first entries and carried out the orders.
    /// So the drive knows the newest request for a report before it sends the report.
    func letDriveBegin() { change { $0.mayDrive = true } }

    /// Signals that the intake has brought in something that the drive may be able to send.
    func broughtIn() { change { $0.version += 1 } }

    /// Signals that something may have come into the spool: into `runs/` as well, if `inRuns` is true.
    func mayHaveCome(inRuns: Bool) {
        change { state in
            state.arrivals.outer += 1
            state.mayHaveLostRuns = state.mayHaveLostRuns || inRuns
        }
    }

    /// The intake reads this before it looks.
    var arrivals: Arrivals { watched.state.arrivals }

    /// Whether the intake has to look for runs that ended without their wrappers. The next answer is `false`, unless
    /// something happens in `runs/`. The first answer is `true`.
    func takeRunsChange() -> Bool {
        var mayHaveLost = false
        watched.change { state in
            mayHaveLost = state.mayHaveLostRuns
            state.mayHaveLostRuns = false
        }
        return mayHaveLost
    }

    /// Returns when ``arrivals`` is another than the parameter, the time has passed, or the task is cancelled.
    func waitForArrival(since arrivals: Arrivals, atMost milliseconds: Int64, clock: any SystemClock) async {
        guard milliseconds > 0 else { return }
        await watched.wait {
            $0.arrivals != arrivals
        } orUntilEndOf: {
            try? await clock.sleep(milliseconds: milliseconds)
        }
    }

    /// Signals that the collecting of a single drop (``SingleDrops``) has ended, successfully or not.
    func singleDropEnded() { change { $0.arrivals.single += 1 } }

    /// Whether the drive can send nothing more of the reports that were brought in so far.
    var isDry: Bool {
        let state = watched.state
        return state.dryVersion == state.version
    }

    var changeCount: Int { watched.state.changeCount }

    /// Returns when ``changeCount`` is higher than `count`, the time has passed, or the task is cancelled.
    func waitForChange(since count: Int, atMost milliseconds: Int64, clock: any SystemClock) async {
        guard milliseconds > 0 else { return }
        await watched.wait {
            $0.changeCount > count
        } orUntilEndOf: {
            try? await clock.sleep(milliseconds: milliseconds)
        }
    }

    /// Signals that the intake brings in nothing more.
    func end() { change { $0.isOver = true } }

    // MARK: - The drive's side

    /// Returns when the drive may begin, or the task is cancelled.
    func waitForBeginning() async { await watched.wait { $0.mayDrive || $0.isOver } }

    /// How many times the intake has brought in something. The drive reads this number before it begins to send.
    var version: Int { watched.state.version }

    /// Signals that the drive can send nothing more of the reports that were brought in up to `version`.
    func ranDry(at version: Int) { change { $0.dryVersion = version } }

    /// Returns when ``version`` is higher than the parameter `version`, the run is over, or the task is cancelled.
    /// - Returns: whether ``version`` is higher.
    func waitForMore(than version: Int) async -> Bool {
        await watched.wait { $0.version > version || $0.isOver }
        return watched.state.version > version
    }

    private func change(_ body: (inout State) -> Void) {
        watched.change { state in
            body(&state)
            state.changeCount += 1
        }
    }
}
