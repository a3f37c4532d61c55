import ArgumentParser
import Reports

/// The exit statuses of the contract (sysexits.h, and 128 plus the signal).
enum ExitStatus {
    static let done: Int32 = 0
    static let usage: Int32 = 64
    static let badData: Int32 = 65
    static let noInput: Int32 = 66
    static let unavailable: Int32 = 69
    static let cannotWrite: Int32 = 73
    static let temporaryFailure: Int32 = 75
    static let badConfiguration: Int32 = 78
    static let interrupted: Int32 = 130
    static let terminated: Int32 = 143

    static func of(_ error: ReportsError) -> Int32 {
        switch error.code {
        case .spoolNotUsable: unavailable
        case .cannotWrite: cannotWrite
        case .badPayload, .badIdentifier: badData
        case .noSuchFile, .noSuchReport: noInput
        case .badArgument: usage
        case .badConfiguration: badConfiguration
        default: unavailable
        }
    }

    /// Says what went wrong, in one line on stderr, and leaves with its status.
    static func exit(for error: any Error) -> Never {
        if let code = error as? ExitCode { leave(code.rawValue) }
        if let error = error as? ReportsError {
            Console.complain(error.message)
            leave(of(error))
        }
        if error is CancellationError { leave(interrupted) }
        // Help, version and usage errors are the parser's; its status for the latter is 64.
        let text = ReportsCommand.fullMessage(for: error)
        let status = ReportsCommand.exitCode(for: error).rawValue
        guard status != 0 || !text.isEmpty else { leave(0) }
        if status == 0 {
            Console.print(text)
            leave(0)
        }
        if error is any CustomStringConvertible, status == 1 {
            Console.complain("\(error)")
            leave(unavailable)
        }
        Console.complainPlainly(text)
        leave(status)
    }

    static func leave(_ status: Int32) -> Never {
        Console.leave(status)
    }
}
