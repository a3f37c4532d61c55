import DurableIO
import Synchronization

/// What the two parts of an owner's work tell each other: the intake that it has brought something in, the drive that
/// it can send nothing more, and in the end the intake that the run is over.
///
/// A run that is not to last is over when the intake has looked and found nothing, after the drive had sent all that
/// had been brought in before. Nothing of this outlives the process, and nothing has to.
final class Handover: Sendable {
    private struct State {
        /// Whether the drive may begin.
        var mayDrive = false
        /// Counts all that happens, for the intake to wait for the next thing.
        var changeCount = 0
        /// Counts what came in.
        var version = 0
        /// Up to which version the drive has sent all that can be sent; `nil` before it has been dry.
        var dryVersion: Int?
        var isOver = false
        var waiters: [Int: (isReady: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    // MARK: - The intake's side

    /// What producers had published is in, or much of it: the newest request for a report counts, and a person's orders
    /// are heard, before anything is sent.
    func letDriveBegin() { change { $0.mayDrive = true } }

    /// Something was brought in that the drive may be able to send.
    func broughtIn() { change { $0.version += 1 } }

    /// The collecting of a drop by itself has ended, however.
    func singleDropEnded() { change { _ in } }

    /// Whether the drive can send nothing more of all that came in so far.
    var isDry: Bool { state.withLock { $0.dryVersion == $0.version } }

    var changeCount: Int { state.withLock(\.changeCount) }

    /// Returns when something has happened since that count, or the time has passed.
    func waitForChange(since count: Int, atMost milliseconds: Int64, clock: any SystemClock) async {
        guard milliseconds > 0 else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait { $0.changeCount > count } }
            group.addTask { try? await clock.sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Nothing more comes in.
    func end() { change { $0.isOver = true } }

    // MARK: - The drive's side

    /// Returns when the drive may begin, or the task is cancelled.
    func waitForBeginning() async { await wait { $0.mayDrive || $0.isOver } }

    /// What has come in until now. To be asked before a drive begins.
    var version: Int { state.withLock(\.version) }

    /// The drive has sent all that it can of what had come in by then.
    func ranDry(at version: Int) { change { $0.dryVersion = version } }

    /// Returns when more has come in than that, the run is over, or the task is cancelled.
    /// - Returns: whether there is more.
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
                    // A task that was cancelled before it came here has run its handler already.
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
