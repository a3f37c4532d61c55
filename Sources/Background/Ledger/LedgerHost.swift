package import DurableIO
import Synchronization

/// The owner of a ledger, from having the lock to giving it back.
///
/// One process at a time is the owner, and only the owner writes to the ledger. However the ledger is found, opening
/// wipes nothing: a damaged ledger is set aside with its log. Every row that can still be read is in the new one before
/// the old one loses its name; only where the rows can be made anew from files, and the disk has no space for them, the
/// new one begins empty. The connection is closed before the lock is given back, also where the host is dropped without
/// an end, so that the next owner never writes beside this one.
package final class LedgerHost: Sendable {
    package let place: LedgerPlace
    private let lock: OwnerLock
    /// Interrupts the opening of the ledger; to be asked to when the task that opens it is cancelled.
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
        // The host is the last to hold the queue, whose connection has to be closed while the lock is held.
        state.withLock { $0.queue = nil }
    }

    /// Tries to become the owner, and writes into the lock's file who that is.
    /// - Returns: `nil` when another process is the owner.
    package static func become(ownerOf place: LedgerPlace) throws(FileSystemError) -> LedgerHost? {
        let lock = try OwnerLock(LedgerPlace.lockName, in: place.directory)
        guard try lock.tryLock() else { return nil }
        lock.sign(place.clock)
        return LedgerHost(place, lock)
    }

    /// Whether this process still holds the lock that the directory names.
    package var isCurrent: Bool { lock.isCurrent }

    /// Names the queue that works on the opened ledger, and is to be closed before the lock is given back.
    package func hold(_ queue: TransferQueue) {
        state.withLock { $0.queue = queue }
    }

    /// Ends this life in order and gives the lock back, or, where that fails, as ``abandon()`` does.
    package func close() async throws {
        do {
            try await queue?.close()
        } catch {
            await abandon()
            throw error
        }
        // The ledger may have grown, and the disk be full before the next owner comes.
        place.layReserve()
        giveLockBack()
    }

    /// Gives the lock back after an error: the next owner looks for what this one left, and blames nobody for it.
    package func abandon() async {
        await queue?.abandon(isOwner: isCurrent)
        giveLockBack()
    }

    private var queue: TransferQueue? { state.withLock(\.queue) }

    /// Once: by then another part of this process may have the lock.
    private func giveLockBack() {
        let isFirst = state.withLock { state in
            defer { state = State(queue: nil, hasGivenLockBack: true) }
            return !state.hasGivenLockBack
        }
        if isFirst { lock.unlock() }
    }
}
