import DurableIO
import Logging
import Synchronization
import SystemPackage

/// Where a reporter's spool is: opened at its first use, and made when it is missing.
///
/// A directory that was removed or replaced meanwhile would swallow whatever is stored through the open descriptors. So
/// each use looks where the path leads; where that is another directory, or none, the spool is opened and made anew.
final class SpoolPlace: Sendable {
    let path: FilePath
    let clock: any SystemClock
    let options: ReportSpool.Options
    let files: any FileSystem
    private let logger: Logger
    private let opened: Mutex<ReportSpool?>

    init(_ path: FilePath, options: ReportSpool.Options, logger: Logger) {
        self.path = path
        self.options = options
        self.logger = logger
        files = POSIXFileSystem()
        clock = LinuxClock()
        opened = Mutex(nil)
    }

    /// One that is open.
    init(_ spool: ReportSpool, logger: Logger) {
        path = spool.root.path
        options = spool.options
        self.logger = logger
        files = spool.files
        clock = spool.clock
        opened = Mutex(spool)
    }

    /// The drop zone, made where it is missing and can be.
    func madeIncoming() -> FilePath {
        // Best effort: the first use of the spool meets the same trouble and can throw.
        try? ReportSpool.makeDropZone(at: path, options: options, files: files)
        return path.appending(ReportSpool.Room.incoming.rawValue)
    }

    /// The open spool.
    /// - Throws: ``ReportsError`` when it cannot be opened or made.
    func spool() throws(ReportsError) -> ReportSpool {
        let result = opened.withLock { opened in
            Result { () throws(ReportsError) in
                if let spool = opened {
                    if spool.isInPlace, spool.hasItsRooms { return spool }
                    logger.error("Spool directory removed or replaced", metadata: ["spool.path": "\(path)"])
                }
                let spool = try ReportSpool.open(path, isCreating: true, options: options, files: files, clock: clock)
                guard let spool else { throw ReportsError(.spoolNotUsable, "cannot make the spool \(path)") }
                opened = spool
                return spool
            }
        }
        return try result.get()
    }
}
