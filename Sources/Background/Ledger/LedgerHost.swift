package import DurableIO
import Synchronization

/// The owner of a ledger, from taking the lock to giving it back.
///
/// One process at a time is the owner, and only the owner writes to the ledger. Opening a ledger wipes nothing,
/// whatever state the ledger is in: a damaged ledger is set aside with its log. Every row that can still be read is in
/// the new ledger before the old ledger loses its name. There is one exception: if the owner can make the rows anew
/// from files, and the disk has no space for the rows, the new ledger begins empty. The connection is closed before the
/// lock is given back, also when the host is released without an end. So the next owner never writes beside this one.
package final class LedgerHost: Sendable {
    package let place: LedgerPlace
    private let lock: OwnerLock
    /// Interrupts the opening of the ledger. The task that opens the ledger asks for this when it is cancelled.
    package let interrupter = SQLiteInterrupter()
    private let state = Mutex(State())

    private struct State {
        var queue: TransferQueue?
        var hasGivenLockBack = false
    }

    private init(_ place: LedgerPlace, _ lock: OwnerLock) {
        self.place = place
        self.lock = lock
    }

    deinit {
        // No other object holds the queue any more. The queue's connection has to be closed while the lock is held.
        state.withLock { $0.queue = nil }
    }

    /// Tries to become the owner, and writes into the lock's file which process the owner is.
    /// - Returns: `nil` when another process is the owner.
    package static func become(ownerOf place: LedgerPlace) throws(FileSystemError) -> LedgerHost? {
        let lock = try OwnerLock(LedgerPlace.lockName, in: place.directory)
        guard try lock.tryLock() else { return nil }
        lock.sign(place.clock)
        return LedgerHost(place, lock)
    }

    /// Whether this process still holds the lock that the directory names.
    package var isCurrent: Bool { lock.isCurrent }

    /// Keeps the queue that works on the opened ledger, so that the host closes the queue before it gives the lock
    /// back.
    package func hold(_ queue: TransferQueue) {
        state.withLock { $0.queue = queue }
    }

    /// Ends the work of this owner in order and gives the lock back. When that fails, gives the lock back like
    /// ``abandon()``.
    package func close() async throws {
        do {
            try await queue?.close()
        } catch {
            await abandon()
            throw error
        }
        // The ledger may have grown, and the disk may be full before the next owner comes.
        place.layReserve()
        giveLockBack()
    }

    /// Gives the lock back after an error. The next owner repairs files and rows, and blames nothing for the error.
    package func abandon() async {
        await queue?.abandon(isOwner: isCurrent)
        giveLockBack()
    }

    private var queue: TransferQueue? { state.withLock(\.queue) }

    /// Gives the lock back, but only once: at a second call another part of this process may have the lock.
    private func giveLockBack() {
        let isFirst = state.withLock { state in
            defer { state = State(queue: nil, hasGivenLockBack: true) }
            return !state.hasGivenLockBack
        }
        if isFirst { lock.unlock() }
    }
}
