import CaptureRun

extension Intake {
    /// Looks after the directories in `runs/` whose wrapper has died before it could tell of its program's end.
    ///
    /// Each run of an owner calls this before its first look, and one that lasts again and again (``RunSweeps``). What
    /// the sweep drops into `incoming/` is found by the look that follows.
    /// - Returns: what was told of, and what stays.
    @discardableResult
    func sweepRuns() -> LeftRuns.Result {
        spool.tellOfLeftRuns(logger: logger) { path, reason in
            sender.tell(trouble: "the end of its program cannot be told of: \(reason)", at: path)
        }
    }
}
