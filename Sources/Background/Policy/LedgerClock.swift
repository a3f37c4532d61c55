/// The *ledger's axis*: the ledger's own time, in milliseconds that only move forward, whatever is done to the
/// machine's clock.
///
/// Due times, ages and time limits are stored on this axis, never as wall-clock times. A value of this type is a
/// checkpoint, a reading of both clocks together with the ledger's time then, and is itself stored in the ledger:
///
/// - Within one boot the axis advances exactly by CLOCK_BOOTTIME, which counts sleep and which nobody can set. Nothing
///   is due early, and setting the wall clock changes nothing.
/// - Across boots it advances by the step of the wall clock, but never backwards and by 24 hours at most. A clock that
///   stands at 1970 after a boot adds nothing, so a wait can begin again but is never longer than one more delay; a
///   clock ten years ahead adds a day, so no jump makes everything expire immediately.
///
/// Take a new checkpoint with ``advanced(to:)`` at each open and each hour; after a boot, the first new checkpoint
/// moves the axis onto the new boot's clock. If a crash loses a checkpoint, the time since the previous checkpoint is
/// counted again by these rules.
package struct LedgerClock: Hashable, Sendable {
    /// Both clocks of the machine, read together.
    package struct Reading: Hashable, Sendable {
        /// The kernel's name for this boot (`/proc/sys/kernel/random/boot_id`); empty if it cannot be known, and then
        /// equal to no other.
        package var bootID: String
        /// CLOCK_BOOTTIME, in milliseconds since the boot.
        package var bootMilliseconds: Int64
        /// CLOCK_REALTIME, in milliseconds since 1970.
        package var wallMilliseconds: Int64

        package init(bootID: String, bootMilliseconds: Int64, wallMilliseconds: Int64) {
            self.bootID = bootID
            self.bootMilliseconds = bootMilliseconds
            self.wallMilliseconds = wallMilliseconds
        }
    }

    /// What one boot can add to the axis before the first checkpoint of the new boot: 24 hours, in milliseconds.
    package static let maximumStepMilliseconds: Int64 = 24 * 3_600 * 1_000

    /// The boot in which the checkpoint was taken.
    package let bootID: String
    /// CLOCK_BOOTTIME at the checkpoint, in milliseconds.
    package let bootMilliseconds: Int64
    /// CLOCK_REALTIME at the checkpoint, in milliseconds since 1970.
    package let wallMilliseconds: Int64
    /// The ledger's time at the checkpoint, in milliseconds. A new ledger may start anywhere.
    package let ledgerMilliseconds: Int64

    package init(bootID: String, bootMilliseconds: Int64, wallMilliseconds: Int64, ledgerMilliseconds: Int64) {
        self.bootID = bootID
        self.bootMilliseconds = bootMilliseconds
        self.wallMilliseconds = wallMilliseconds
        self.ledgerMilliseconds = ledgerMilliseconds
    }

    /// The ledger's time at a reading, in milliseconds; never before the checkpoint.
    package func now(at reading: Reading) -> Int64 {
        let isSameBoot = reading.bootID == bootID && !bootID.isEmpty
        let step =
            isSameBoot
            ? Self.saturatingDifference(reading.bootMilliseconds, bootMilliseconds)
            : min(Self.saturatingDifference(reading.wallMilliseconds, wallMilliseconds), Self.maximumStepMilliseconds)
        let (sum, overflow) = ledgerMilliseconds.addingReportingOverflow(max(step, 0))
        return overflow ? .max : sum
    }

    /// The next checkpoint, taken at a reading; the one to store.
    package func advanced(to reading: Reading) -> LedgerClock {
        LedgerClock(
            bootID: reading.bootID,
            bootMilliseconds: reading.bootMilliseconds,
            wallMilliseconds: reading.wallMilliseconds,
            ledgerMilliseconds: now(at: reading))
    }

    private static func saturatingDifference(_ later: Int64, _ earlier: Int64) -> Int64 {
        let (difference, overflow) = later.subtractingReportingOverflow(earlier)
        return overflow ? (later < earlier ? .min : .max) : difference
    }
}
