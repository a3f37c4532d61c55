/// How a program ended, as the process that has started it sees it.
package struct ProgramEnd: Sendable, Equatable {
    package enum Status: Sendable, Equatable {
        case exited(code: Int32)
        case signalled(Int32, dumpedCore: Bool)
    }

    /// What the program and those of its children that it has waited for have used.
    package struct Usage: Sendable, Equatable {
        package var userMilliseconds: Int64 = 0
        package var systemMilliseconds: Int64 = 0
        package var maximumResidentKiB: Int64 = 0
        package var majorFaults: Int64 = 0

        package init() {}
    }

    package var status: Status
    package var usage = Usage()
    /// Milliseconds since 1970.
    package var endedAt: Int64
    /// Milliseconds from the start to the end on a clock that nobody sets.
    package var uptimeMilliseconds: Int64
    /// How long before the end a request to end (TERM, INT, HUP, QUIT) was passed on to the program for the last time,
    /// in milliseconds; `nil` for never.
    package var millisecondsSinceRequest: Int64?

    package init(
        _ status: Status, usage: Usage = Usage(), endedAt: Int64, uptimeMilliseconds: Int64,
        millisecondsSinceRequest: Int64? = nil
    ) {
        self.status = status
        self.usage = usage
        self.endedAt = endedAt
        self.uptimeMilliseconds = uptimeMilliseconds
        self.millisecondsSinceRequest = millisecondsSinceRequest
    }
}
