import CaptureRun
import DurableIO
package import SystemPackage

/// Tells of what programs of root's have left in the spool of another user, before root becomes that user.
package enum RootsRuns {
    /// Tells of the runs whose `reports run` died; does nothing for another user, and in a spool of root's own.
    ///
    /// Their reports are then in `incoming/`, and the spool's user's.
    /// - Parameters:
    ///   - path: the spool.
    ///   - options: whether the spool may lie on a network file system.
    ///   - onTrouble: called for each run that cannot be told of, with its path in the spool and the reason.
    package static func tell(
        in path: FilePath, _ options: ReportSpool.Options, onTrouble: (_ path: String, _ reason: String) -> Void
    ) {
        let files = POSIXFileSystem()
        guard UserIdentity.current == 0, let root = try? files.openDirectory(path) else { return }
        do throws(FileSystemError) {
            let runs = try LeftRuns.ofRoot(
                inSpoolOfAnother: root, allowsRemoteFileSystem: options.allowsRemoteFileSystem, files: files,
                clock: LinuxClock())
            for (path, reason) in runs?.sweep().problems ?? [] { onTrouble(path, reason) }
        } catch {
            onTrouble("runs", "\(error)")
        }
    }
}
