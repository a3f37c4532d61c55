import CSQLite

/// Statements that look at much of the ledger, and that a run which is told to end does not wait for.
///
/// SQLite undoes all that an interrupted statement has changed, and with it the transaction that it was part of.
extension SQLiteConnection {
    /// What SQLite asks now and then while it works on a statement.
    final class Interruption {
        fileprivate let isCalledOff: () -> Bool

        fileprivate init(_ isCalledOff: @escaping () -> Bool) {
            self.isCalledOff = isCalledOff
        }
    }

    /// SQLite asks once in so many of its virtual machine's steps, which takes it 10 to 100 µs.
    private static let stepsBetweenQuestions: Int32 = 1_000

    /// Runs statements that end with ``SQLiteError/isInterruption`` soon after the condition holds.
    ///
    /// The condition is asked on this thread, so that it may ask the task whether that was cancelled. It is not asked
    /// of a statement that takes few steps, as `COMMIT` and `ROLLBACK` do.
    func interruptible<Result, Failure: Error>(
        when isCalledOff: () -> Bool, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outer = interruption
        return try withoutActuallyEscaping(isCalledOff) { isCalledOff throws(Failure) in
            ask(Interruption(isCalledOff))
            defer { ask(outer) }
            return try body()
        }
    }

    /// Runs statements that end so soon after the task is cancelled.
    func cancellable<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try interruptible(when: { Task.isCancelled }, body)
    }

    private func ask(_ interruption: Interruption?) {
        self.interruption = interruption
        guard let interruption else { return sqlite3_progress_handler(handle, 0, nil, nil) }
        sqlite3_progress_handler(
            handle, Self.stepsBetweenQuestions,
            { argument in
                guard let argument else { return 0 }
                return Unmanaged<Interruption>.fromOpaque(argument).takeUnretainedValue().isCalledOff() ? 1 : 0
            }, Unmanaged.passUnretained(interruption).toOpaque())
    }

    /// Has statements wait for another connection's lock: 5 s, and a quarter of a second once the task is cancelled.
    ///
    /// Of our own connections only readers meet one, and only for the moments of a checkpoint or a recovery. Any
    /// program may open the file, though, and keep it locked.
    func waitForLocks() {
        sqlite3_busy_handler(
            handle,
            { _, count in
                guard count < (Task.isCancelled ? 25 : 500) else { return 0 }
                sqlite3_sleep(10)
                return 1
            }, nil)
    }

    /// Has statements wait for another connection's lock for half a second, for readers that have to answer at once.
    func waitForLocksBriefly() {
        sqlite3_busy_handler(
            handle,
            { _, count in
                guard count < 50 else { return 0 }
                sqlite3_sleep(10)
                return 1
            }, nil)
    }

    /// Runs a check of pages, about which SQLite before 3.41 does not ask: when the task is cancelled, another thread
    /// has to interrupt it.
    ///
    /// An interrupt that comes between two statements is lost, unless a third one is under way all the time. So one is
    /// begun first; then the task is looked at; and an interrupt after that finds the first one.
    func cancellable<Result>(
        by interrupter: SQLiteInterrupter, _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        let first = try prepared("SELECT 1 UNION ALL SELECT 2")
        defer { first.reset() }
        _ = try first.step()
        interrupter.watch(handle)
        defer { interrupter.watch(nil) }
        if Task.isCancelled { throw .interrupted }
        return try cancellable(body)
    }
}
