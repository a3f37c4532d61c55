import DurableIO

/// A clock that a test moves: nothing happens by itself, and whoever sleeps wakes when the test has moved it far
/// enough.
///
/// Wall and boot clock can be set apart, as on a machine whose time is corrected, and a new boot can begin.
package final class ManualClock: SystemClock {
    fileprivate struct State: Sendable {
        var wall: Int64
        var boot: Int64
        /// How long the machine has worked.
        var awake: Int64 = 0
        var bootID: String
        var nextSleeper = 0
        var sleepers: [Int: Sleeper] = [:]
        /// Cancelled before they were registered.
        var cancelled: Set<Int> = []
    }

    fileprivate struct Sleeper: Sendable {
        let wakesAt: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let state: Monitor<State>

    /// - Parameters:
    ///   - wall: milliseconds since 1970. The default is a day in 2026.
    ///   - boot: milliseconds since the boot. The default is an hour.
    ///   - bootID: the name of the boot.
    package init(wall: Int64 = 1_790_000_000_000, boot: Int64 = 3_600_000, bootID: String = "boot-1") {
        state = Monitor(State(wall: wall, boot: boot, bootID: bootID))
    }

    package var wallMilliseconds: Int64 { state.value.wall }
    package var bootMilliseconds: Int64 { state.value.boot }
    package var bootID: String { state.value.bootID }
    /// Stands still unless a test says that work took the time: otherwise what is under way while a test moves the clock
    /// would have taken as long, or not, by chance.
    package var awakeMilliseconds: Int64 { state.value.awake }

    // MARK: - Moving

    /// Both clocks move forward; those whose time has come wake.
    package func advance(by milliseconds: Int64) {
        move { state in
            state.wall += milliseconds
            state.boot += milliseconds
        }
    }

    /// Both clocks move forward because the work that is under way takes so long.
    package func work(for milliseconds: Int64) {
        move { state in
            state.wall += milliseconds
            state.boot += milliseconds
            state.awake += milliseconds
        }
    }

    /// Somebody sets the wall clock; time itself does not pass.
    package func setWall(_ milliseconds: Int64) {
        state.withLock { $0.wall = milliseconds }
    }

    /// The machine starts anew, with a boot clock near zero and whatever the wall clock says then.
    package func reboot(as bootID: String, wall: Int64, boot: Int64 = 10_000) {
        state.withLock { state in
            state.bootID = bootID
            state.wall = wall
            state.boot = boot
        }
    }

    private func move(_ change: (inout State) -> Void) {
        let woken = state.withLock { state in
            change(&state)
            let due = state.sleepers.filter { $0.value.wakesAt <= state.boot }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map { $0 }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    // MARK: - Sleeping

    package func sleep(milliseconds: Int64) async throws {
        let number = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                register(continuation, number, milliseconds)
            }
        } onCancel: {
            cancel(number)
        }
    }

    private func register(_ continuation: CheckedContinuation<Void, any Error>, _ number: Int, _ milliseconds: Int64) {
        let result: Result<Void, any Error>? = state.withLock { state in
            if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
            guard milliseconds > 0 else { return .success(()) }
            state.sleepers[number] = Sleeper(wakesAt: state.boot + milliseconds, continuation: continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    private func cancel(_ number: Int) {
        let sleeper = state.withLock { state in
            let sleeper = state.sleepers.removeValue(forKey: number)
            if sleeper == nil { state.cancelled.insert(number) }
            return sleeper
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }

    // MARK: - Watching

    /// When the first sleeper wakes, on the boot clock; `nil` while nobody sleeps.
    package var nextWake: Int64? { state.value.nextWake }

    /// Returns once somebody sleeps, with the time of the first to wake, on the boot clock; `nil` when cancelled.
    @discardableResult
    package func waitForSleeper() async -> Int64? {
        await state.wait { !$0.sleepers.isEmpty }
        return nextWake
    }

    /// Returns once somebody sleeps for no longer than so many milliseconds, with the time of the first to wake, on the
    /// boot clock; `nil` when cancelled.
    package func waitForSleeper(within milliseconds: Int64) async -> Int64? {
        while !Task.isCancelled {
            await state.wait { state in state.nextWake.map { $0 <= state.boot + milliseconds } ?? false }
            // It may have been woken by something else since.
            let now = state.value
            if let wake = now.nextWake, wake <= now.boot + milliseconds { return wake }
        }
        return nil
    }

    /// Returns once somebody sleeps until exactly this time on the boot clock, or the task is cancelled.
    package func waitForSleeper(until boot: Int64) async {
        await state.wait { state in state.sleepers.values.contains { $0.wakesAt == boot } }
    }
}

extension ManualClock.State {
    fileprivate var nextWake: Int64? { sleepers.values.map(\.wakesAt).min() }
}
