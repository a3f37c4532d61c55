import CSQLite

/// Statements that look at much of the ledger, and that end early when a run is told to end.
///
/// When a statement is interrupted, SQLite undoes all its changes, and the transaction that it was part of.
extension SQLiteConnection {
    /// The question that SQLite asks now and then while it works on a statement: whether to end it.
    final class Interruption {
        fileprivate let isCalledOff: () -> Bool

        fileprivate init(_ isCalledOff: @escaping () -> Bool) {
            self.isCalledOff = isCalledOff
        }
    }

    /// The number of steps of SQLite's virtual machine between two questions. So many steps take 10 to 100 µs.
    private static let stepsBetweenQuestions: Int32 = 1_000

    /// Runs statements that end with ``SQLiteError/isInterruption`` soon after the condition holds.
    ///
    /// SQLite asks for the condition on this thread, so the condition may ask whether the task was cancelled. SQLite
    /// does not ask during a statement of few steps, such as `COMMIT` and `ROLLBACK`.
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

    /// Runs statements that end in the same way soon after the task is cancelled.
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

    /// Makes statements wait for the lock of another connection: for 5 s, or for a quarter of a second once the task is
    /// cancelled.
    ///
    /// Of this library's own connections, only readers meet such a lock, and only for the moments of a checkpoint or a
    /// recovery. But any program may open the file and keep it locked.
    func waitForLocks() {
        sqlite3_busy_handler(
            handle,
            { _, count in
                guard count < (Task.isCancelled ? 25 : 500) else { return 0 }
                sqlite3_sleep(10)
                return 1
            }, nil)
    }

    /// Makes statements wait for the lock of another connection for half a second, for readers that have to answer at
    /// once.
    func waitForLocksBriefly() {
        sqlite3_busy_handler(
            handle,
            { _, count in
                guard count < 50 else { return 0 }
                sqlite3_sleep(10)
                return 1
            }, nil)
    }

    /// Runs a check of pages. During such a check, SQLite before 3.41 does not ask for the condition. So another thread
    /// has to interrupt the check when the task is cancelled.
    ///
    /// An interrupt that comes between two statements is lost, unless a third statement is under way all the time. So
    /// this function first begins a third statement. Then it asks whether the task was cancelled. An interrupt after
    /// that finds the third statement.
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
