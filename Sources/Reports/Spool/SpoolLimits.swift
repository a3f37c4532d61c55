/// How much a spool may hold.
///
/// Whoever collects keeps to the first two: what breaks them is not taken in, with a ``ReportsError`` of code
/// ``ReportsError/Code/cannotWrite``, and a dropped file stays in `incoming/`. The owner keeps to the others when it takes
/// reports in, evicting what matters least: parked reports first, then the oldest that are no crashes, then the oldest
/// crashes; never what is being sent. The bytes of a victim are gone; its record stays 90 days, with the limit's name.
public struct SpoolLimits: Hashable, Sendable {
    /// The largest payload that is collected, in bytes. The default is 4 GiB.
    public var maximumReportByteCount: UInt64 = 4 << 30
    /// Space that is left to others on the file system, in bytes; `nil` is min(64 MiB, max(1 MiB, 5 % of it)).
    public var minimumFreeByteCount: UInt64?
    /// All stored reports together, compressed, in bytes. The default is 2 GiB.
    public var maximumTotalByteCount: UInt64 = 2 << 30
    /// How many reports are stored at most. The default is 200,000.
    public var maximumCount: Int = 200_000
    /// How long an undelivered report is kept, counted by the ledger's own clock, which no setting of the machine's clock
    /// moves by more than 24 hours at a boot. The default is 90 days.
    public var maximumAge: Duration = .seconds(90 * 86_400)

    /// The defaults.
    public init() {}

    /// What has to stay free on a file system of that size.
    func floor(ofTotal total: UInt64) -> UInt64 {
        minimumFreeByteCount ?? min(64 << 20, max(1 << 20, total / 20))
    }
}
