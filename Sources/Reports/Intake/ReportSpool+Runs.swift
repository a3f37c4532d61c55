package import CaptureRun
import DurableIO
package import Logging

extension ReportSpool {
    /// Tells of programs whose `reports run` died before it could: the drops of their deaths are then in `incoming/`.
    ///
    /// To be called by the owner, when its run begins and when the lock of a `reports run` is freed. Without such runs it
    /// lists one directory, or two in a spool that is open to all users. A run that cannot be told of stays, and ends
    /// neither this nor the owner's run.
    /// - Parameters:
    ///   - logger: what the runs are logged to.
    ///   - onTrouble: called for each run, and for `runs/` itself, that cannot be told of, with its path and the reason.
    ///     Returns whether that is news; then it is logged.
    /// - Returns: what was told of, and what stays, and has to be looked at again.
    @discardableResult
    package func tellOfLeftRuns(
        logger: Logger, onTrouble: (_ path: String, _ reason: String) -> Bool = { _, _ in true }
    ) -> LeftRuns.Result {
        let result = sweepRuns()
        for (path, reason) in result.problems where onTrouble(path, reason) {
            logger.warning("Run not told of", metadata: ["run.path": "\(path)", "reason": "\(reason)"])
        }
        for incident in result.told {
            logger.notice("Run told of that was left", metadata: ["run.incident": "\(incident)"])
        }
        return result
    }

    private func sweepRuns() -> LeftRuns.Result {
        do throws(FileSystemError) {
            let runs = try LeftRuns(in: root, isOpenToAll: options.isShared, files: files, clock: clock)
            return runs?.sweep() ?? LeftRuns.Result()
        } catch {
            return LeftRuns.Result(failedAt: "runs", error)
        }
    }
}
