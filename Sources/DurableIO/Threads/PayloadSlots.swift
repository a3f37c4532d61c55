import Dispatch
import Synchronization

/// The slots in which payloads are hashed and compressed: as many as the cores less one, so that one core is left to
/// the program. Where there is one core, there is one slot.
///
/// Small payloads, and an owner's groups of small drops, do not wait for large ones: between two of its blocks a large
/// payload lets one of them go first. A payload that stands still, as on a disk that does not answer, keeps no other
/// from its work: after a second without a block from any slot, a payload that waits goes on without one.
package final class PayloadSlots: Sendable {
    package static let shared = PayloadSlots(count: max(1, OwnThreads.coreCount - 1))

    /// Up to this size a payload is small: 1 MiB.
    private static let smallByteCount: UInt64 = 1 << 20
    /// How long the slots may stand still before a payload goes on without one, and how long a large payload lets
    /// another go first: 1 s. A small payload takes milliseconds, if it has a thread; where the machine gives us no
    /// second one, it would wait for the thread of the large one for ever.
    private static let patience = 1

    private struct Waiter {
        let number: Int
        /// Gets whether there is a slot; otherwise the task was cancelled.
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        /// Those that a large payload lets go first.
        var first: [Waiter] = []
        var large: [Waiter] = []
        /// Threads of large payloads that have let another go first.
        var paused: [DispatchSemaphore] = []
        /// Slots that two payloads hold: the first of the two to end gives nothing back.
        var owed = 0
        /// Counts blocks and payloads, to tell whether the slots stand still.
        var steps = 0
        var lastNumber = 0

        mutating func remove(_ number: Int) -> Waiter? {
            if let index = large.firstIndex(where: { $0.number == number }) { return large.remove(at: index) }
            return first.firstIndex { $0.number == number }.map { first.remove(at: $0) }
        }
    }
    private let state: Mutex<State>

    /// - Parameter count: how many payloads are worked on at once.
    package init(count: Int) {
        state = Mutex(State(free: count))
    }

    /// Waits for a slot. A small payload gets one even where its task was cancelled: it takes milliseconds, and may say
    /// why the task was cancelled.
    /// - Parameters:
    ///   - byteCount: the payload's size; `nil` where it is not known.
    ///   - goesFirst: whether a large payload lets it go first whatever its size. The default is `false`.
    /// - Returns: the slot, which is given back when the value ends.
    /// - Throws: `CancellationError` when the task of a large payload was cancelled meanwhile.
    package func slot(for byteCount: UInt64?, goesFirst: Bool = false) async throws -> PayloadSlot {
        let isLarge = byteCount.map { $0 > Self.smallByteCount } ?? true
        let isFree = state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
        if !isFree, await !wait(goesFirst: goesFirst || !isLarge, endsWithTask: isLarge) { throw CancellationError() }
        return PayloadSlot(of: self, isLarge: isLarge)
    }

    private func wait(goesFirst: Bool, endsWithTask: Bool) async -> Bool {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let watch = Task { await self.watch(for: number) }
        defer { watch.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled, endsWithTask { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    let waiter = Waiter(number: number, continuation: continuation)
                    if goesFirst { state.first.append(waiter) } else { state.large.append(waiter) }
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            guard endsWithTask else { return }
            state.withLock { $0.remove(number) }?.continuation.resume(returning: false)
        }
    }

    /// Lets a payload go on without a slot once the slots stand still.
    private func watch(for number: Int) async {
        var seen = state.withLock(\.steps)
        while (try? await SleepAlarm.sleep(for: .seconds(Self.patience))) != nil {
            let waiter = state.withLock { state -> Waiter? in
                defer { seen = state.steps }
                guard state.steps == seen, let waiter = state.remove(number) else { return nil }
                state.owed += 1
                return waiter
            }
            waiter?.continuation.resume(returning: true)
        }
    }

    /// Gives the slot to a payload that goes first, if one waits, and returns when the slot is free again, or after a
    /// second. The thread is blocked meanwhile. At most as many threads are as there are slots.
    fileprivate func letAnotherGoFirst() {
        let turn = state.withLock { state -> (waiter: Waiter, end: DispatchSemaphore)? in
            state.steps += 1
            guard !state.first.isEmpty else { return nil }
            let end = DispatchSemaphore(value: 0)
            state.paused.append(end)
            return (state.first.removeFirst(), end)
        }
        guard let turn else { return }
        turn.waiter.continuation.resume(returning: true)
        guard turn.end.wait(timeout: .now() + .seconds(Self.patience)) == .timedOut else { return }
        state.withLock { state in
            // Without an entry the slot was given back between the time-out and here.
            guard let index = state.paused.firstIndex(where: { $0 === turn.end }) else { return }
            state.paused.remove(at: index)
            state.owed += 1
        }
    }

    /// A paused payload is the first to get it, so that many small ones do not stop it for ever.
    fileprivate func giveBack() {
        let next = state.withLock { state -> (paused: DispatchSemaphore?, waiter: Waiter?) in
            state.steps += 1
            if state.owed > 0 {
                state.owed -= 1
                return (nil, nil)
            }
            if !state.paused.isEmpty { return (state.paused.removeFirst(), nil) }
            if !state.first.isEmpty { return (nil, state.first.removeFirst()) }
            if !state.large.isEmpty { return (nil, state.large.removeFirst()) }
            state.free += 1
            return (nil, nil)
        }
        next.paused?.signal()
        next.waiter?.continuation.resume(returning: true)
    }
}

/// One payload's slot.
package struct PayloadSlot: ~Copyable {
    private let slots: PayloadSlots
    private let isLarge: Bool

    fileprivate init(of slots: PayloadSlots, isLarge: Bool) {
        self.slots = slots
        self.isLarge = isLarge
    }

    deinit {
        slots.giveBack()
    }

    /// To be called between two blocks of the payload.
    package func pause() {
        if isLarge { slots.letAnotherGoFirst() }
    }
}
