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

    static func leave(_ status: Int32) -> Never {
        Console.leave(status)
    }
}
