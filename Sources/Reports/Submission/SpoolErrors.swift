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
