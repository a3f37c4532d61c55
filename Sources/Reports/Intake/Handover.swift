import DurableIO
import Synchronization

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
        /// The ``version`` of which the drive has sent everything that can be sent; `nil` before the drive has run dry.
        var dryVersion: Int?
        var isOver = false
        var waiters: [Int: (isReady: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    // MARK: - The intake's side

    /// Lets the drive begin. The intake calls this when it has enrolled the first entries and carried out the orders.
    /// So the drive knows the newest request for a report before it sends the report.
    func letDriveBegin() { change { $0.mayDrive = true } }

    /// Signals that the intake has brought in something that the drive may be able to send.
    func broughtIn() { change { $0.version += 1 } }

    /// Signals that the collecting of a single drop (``SingleDrops``) has ended, successfully or not.
    func singleDropEnded() { change { _ in } }

    /// Whether the drive can send nothing more of the reports that were brought in so far.
    var isDry: Bool { state.withLock { $0.dryVersion == $0.version } }

    var changeCount: Int { state.withLock(\.changeCount) }

    /// Returns when there was a signal after that count, the time has passed, or the task is cancelled.
    func waitForChange(since count: Int, atMost milliseconds: Int64, clock: any SystemClock) async {
        guard milliseconds > 0 else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait { $0.changeCount > count } }
            group.addTask { try? await clock.sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Signals that the intake brings in nothing more.
    func end() { change { $0.isOver = true } }

    // MARK: - The drive's side

    /// Returns when the drive may begin, or the task is cancelled.
    func waitForBeginning() async { await wait { $0.mayDrive || $0.isOver } }

    /// How many times the intake has brought in something. The drive reads this number before it begins to send.
    var version: Int { state.withLock(\.version) }

    /// Signals that the drive can send nothing more of the reports up to that version.
    func ranDry(at version: Int) { change { $0.dryVersion = version } }

    /// Returns when the version is higher than that one, the run is over, or the task is cancelled.
    /// - Returns: whether the version is higher.
    func waitForMore(than version: Int) async -> Bool {
        await wait { $0.version > version || $0.isOver }
        return state.withLock { $0.version > version }
    }

    // MARK: - Waiting

    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            state.changeCount += 1
            let numbers = state.waiters.filter { $0.value.isReady(state) }.keys
            return numbers.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in ready { continuation.resume() }
    }

    private func wait(until isReady: @escaping @Sendable (State) -> Bool) async {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // When the task was cancelled earlier, its cancellation handler has already run and found no
                    // waiter.
                    if isReady(state) || Task.isCancelled { return true }
                    state.waiters[number] = (isReady, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume()
        }
    }
}
