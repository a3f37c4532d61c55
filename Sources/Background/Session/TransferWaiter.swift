import Synchronization

/// A caller's wait for the end of one transfer.
final class TransferWaiter: Sendable {
    /// The row's name; `nil` for a wait that only the end of the session ends.
    let rowName: String?
    /// The handle whose caller waits.
    let holder: ObjectIdentifier
    private let ended = Mutex<TransferResult?>(nil)
    private let latch = Latch()

    init(rowName: String?, holder: ObjectIdentifier) {
        self.rowName = rowName
        self.holder = holder
    }

    /// How the transfer ended, if it has.
    var result: TransferResult? { ended.withLock { $0 } }

    /// Ends the wait with a result. Only the first result counts.
    func end(_ result: TransferResult) {
        ended.withLock { $0 = $0 ?? result }
        latch.open()
    }

    /// - Returns: `nil` when the task was cancelled first.
    func wait() async -> TransferResult? {
        await latch.wait()
        return result
    }
}

/// All waits of a session, by the row they wait for.
final class TransferWaiters: Sendable {
    private let waiters = Mutex<[String?: [TransferWaiter]]>([:])

    /// Registers a wait for a transfer, or, without one, for the session's end.
    func add(for rowName: String?, holder: ObjectIdentifier) -> TransferWaiter {
        let waiter = TransferWaiter(rowName: rowName, holder: holder)
        waiters.withLock { $0[rowName, default: []].append(waiter) }
        return waiter
    }

    func remove(_ waiter: TransferWaiter) {
        waiters.withLock { waiters in
            waiters[waiter.rowName]?.removeAll { $0 === waiter }
            if waiters[waiter.rowName]?.isEmpty == true { waiters[waiter.rowName] = nil }
        }
    }

    /// Ends the waits for one transfer.
    func end(_ rowName: String, _ result: TransferResult) {
        let ended = waiters.withLock { $0.removeValue(forKey: rowName) ?? [] }
        for waiter in ended { waiter.end(result) }
    }

    /// Ends every wait, or those of one handle.
    func endAll(of holder: ObjectIdentifier?, _ error: NetworkResponseError) {
        let ended = waiters.withLock { waiters in
            let ended = waiters.values.joined().filter { holder == nil || $0.holder == holder }
            for waiter in ended { waiters[waiter.rowName]?.removeAll { $0 === waiter } }
            waiters = waiters.filter { !$0.value.isEmpty }
            return ended
        }
        for waiter in ended { waiter.end(.failed(error)) }
    }
}
