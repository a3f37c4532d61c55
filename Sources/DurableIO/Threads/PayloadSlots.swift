import Dispatch
import Synchronization

/// The slots in which payloads are hashed and compressed: as many as the cores less one, so that one core is left to
/// the program. Where there is one core, there is one slot.
///
/// A payload keeps its slot from its first byte to its last. Small payloads do not wait for large ones: between two of
/// its blocks a large payload lets a small one go first.
package final class PayloadSlots: Sendable {
    package static let shared = PayloadSlots(count: max(1, OwnThreads.coreCount - 1))

    /// Up to this size a payload is small: 1 MiB.
    private static let smallByteCount: UInt64 = 1 << 20

    private struct Waiter {
        let number: Int
        /// Gets whether there is a slot; otherwise the task was cancelled.
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var small: [Waiter] = []
        var large: [Waiter] = []
        /// Threads of large payloads that have let a small one go first.
        var paused: [DispatchSemaphore] = []
        /// Slots that two payloads hold: the first of the two to end gives nothing back.
        var owed = 0
        var lastNumber = 0

        mutating func takeOut(large number: Int) -> Waiter? {
            large.firstIndex { $0.number == number }.map { large.remove(at: $0) }
        }
    }
    private let state: Mutex<State>

    /// - Parameter count: how many payloads are worked on at once.
    package init(count: Int) {
        state = Mutex(State(free: count))
    }

    /// Waits for a slot. A small payload gets one even where its task was cancelled: it takes milliseconds, and may say
    /// why the task was cancelled.
    /// - Parameter byteCount: the payload's size; `nil` where it is not known.
    /// - Returns: the slot, which is given back when the value ends.
    /// - Throws: `CancellationError` when the task of a large payload was cancelled meanwhile.
    package func slot(for byteCount: UInt64?) async throws -> PayloadSlot {
        let isSmall = byteCount.map { $0 <= Self.smallByteCount } ?? false
        let isFree = state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
        if !isFree, await !wait(isSmall: isSmall) { throw CancellationError() }
        return PayloadSlot(of: self, isSmall: isSmall)
    }

    private func wait(isSmall: Bool) async -> Bool {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled, !isSmall { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    let waiter = Waiter(number: number, continuation: continuation)
                    if isSmall { state.small.append(waiter) } else { state.large.append(waiter) }
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.takeOut(large: number) }?.continuation.resume(returning: false)
        }
    }

    /// How long a large payload lets a small one go first: 1 s. The small one takes milliseconds, if it has a thread;
    /// where the machine gives us no second one, it would wait for the thread of the large one for ever.
    private static let patience = DispatchTimeInterval.seconds(1)

    /// Gives the slot to a small payload that waits, and returns when the slot is free again, or after a second. The
    /// thread is blocked meanwhile. At most as many threads are as there are slots.
    fileprivate func letSmallOneGoFirst() {
        let turn = state.withLock { state -> (waiter: Waiter, end: DispatchSemaphore)? in
            guard !state.small.isEmpty else { return nil }
            let end = DispatchSemaphore(value: 0)
            state.paused.append(end)
            return (state.small.removeFirst(), end)
        }
        guard let turn else { return }
        turn.waiter.continuation.resume(returning: true)
        guard turn.end.wait(timeout: .now() + Self.patience) == .timedOut else { return }
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
            if state.owed > 0 {
                state.owed -= 1
                return (nil, nil)
            }
            if !state.paused.isEmpty { return (state.paused.removeFirst(), nil) }
            if !state.small.isEmpty { return (nil, state.small.removeFirst()) }
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
    private let isSmall: Bool

    fileprivate init(of slots: PayloadSlots, isSmall: Bool) {
        self.slots = slots
        self.isSmall = isSmall
    }

    deinit {
        slots.giveBack()
    }

    /// To be called between two blocks of the payload.
    package func pause() {
        if !isSmall { slots.letSmallOneGoFirst() }
    }
}
