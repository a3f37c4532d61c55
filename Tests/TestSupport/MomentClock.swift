import DurableIO

/// A clock at each look at which the power may go. The ledger looks at it in every transaction, so that there is such
/// a moment between any two commits.
package final class MomentClock: SystemClock {
    private let clock: ManualClock
    private let files: PowerCutFileSystem

    package init(_ files: PowerCutFileSystem, _ clock: ManualClock = ManualClock()) {
        self.files = files
        self.clock = clock
    }

    package var wallMilliseconds: Int64 { clock.wallMilliseconds }
    package var bootID: String { clock.bootID }
    package var awakeMilliseconds: Int64 { clock.awakeMilliseconds }

    package var bootMilliseconds: Int64 {
        files.moment("at a look at the clock")
        return clock.bootMilliseconds
    }

    package func sleep(milliseconds: Int64) async throws { try await clock.sleep(milliseconds: milliseconds) }
}
