import CaptureRun
import DurableIO
package import Logging

extension ReportSpool {
    /// Tells of programs whose `reports run` died before it could: the drops of their deaths are then in `incoming/`.
    ///
    /// To be called by the owner, when its run begins and when the lock of a `reports run` is freed. Without such runs it
    /// lists one directory, or two in a spool that is open to all users. A run that cannot be told of is logged and
    /// stays, and ends neither this nor the owner's run.
    /// - Parameters:
    ///   - logger: what the runs are logged to.
    ///   - onTrouble: called for each run, and for `runs/` itself, that cannot be told of, with its path and the reason.
    /// - Returns: the incidents that were told of.
    @discardableResult
    package func tellOfLeftRuns(
        logger: Logger, onTrouble: (_ path: String, _ reason: String) -> Void = { _, _ in }
    ) -> [String] {
        let result: LeftRuns.Result
        do throws(FileSystemError) {
            guard let runs = try LeftRuns(in: root, isOpenToAll: options.isShared, files: files, clock: clock) else {
                return []
            }
            result = runs.sweep()
        } catch {
            logger.warning("Runs not looked at", metadata: ["error": "\(error)"])
            onTrouble("runs", "\(error)")
            return []
        }
        for (path, reason) in result.problems {
            onTrouble(path, reason)
            logger.warning("Run not told of", metadata: ["run.path": "\(path)", "reason": "\(reason)"])
        }
        for incident in result.told {
            logger.notice("Run told of that was left", metadata: ["run.incident": "\(incident)"])
        }
        return result.told
    }
}
