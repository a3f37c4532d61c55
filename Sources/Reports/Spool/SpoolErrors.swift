import Background
import DurableIO

/// Failures of disk and ledger, in the words and codes that users of the library meet.
enum SpoolErrors {
    static func isOutOfSpace(_ error: any Error) -> Bool {
        switch error {
        case let error as FileSystemError: error.isOutOfSpace
        case let error as SQLiteError: error.isOutOfSpace
        default: false
        }
    }

    /// What a person can do about a file that cannot be moved or removed.
    static func advice(_ error: FileSystemError) -> String {
        switch error.errno {
        case .improperLink: "one of its rooms is a mount of its own: mount the whole spool instead"
        case .isDirectory, .directoryNotEmpty, .fileExists: "move the file or directory of that name away"
        case .notPermitted: "run chattr -a -i on it and on its directory"
        case .permissionDenied: "run as its owner, or change the mode of its directory"
        case .readOnlyFileSystem: "mount it writable"
        case .noSpace, .diskQuotaExceeded, .fileTooLarge: "free some space"
        case _ where error.isPassing: "each submit tries it again"
        default: "check its disk; each submit tries it again"
        }
    }

    static func explained(_ error: any Error) -> any Error {
        if isOutOfSpace(error) {
            return ReportsError(
                .cannotWrite, "no space left in the spool: free some, then submit again",
                underlyingError: error)
        }
        switch error {
        case let error as SQLiteError:
            return ReportsError(.spoolNotUsable, "the ledger: \(error)", underlyingError: error)
        case is FileSystemError, is LedgerError, is DamagedReport, is PayloadProblem:
            return ReportsError(.spoolNotUsable, "\(error)", underlyingError: error)
        default:
            return error
        }
    }

    static func explaining<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch {
            throw explained(error)
        }
    }
}

extension ReportsError {
    /// Whether the same may work in a moment though no person mends anything: another program has locked the ledger, or
    /// the machine is short of descriptors or memory.
    package var isPassing: Bool {
        switch underlyingError {
        case let error as SQLiteError: error.isLock
        case let error as FileSystemError: error.isPassing
        default: false
        }
    }
}
