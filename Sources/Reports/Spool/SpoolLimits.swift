import DurableIO

/// How much a spool may hold.
///
/// A producer keeps to the largest report and the free space: what breaks them is not taken in, with a ``ReportsError``
/// of code ``ReportsError/Code/cannotWrite``, and a dropped file stays in `incoming/`. The spool's owner keeps to the
/// total, the count and the age, but only when nothing more can be sent, at the end of each run, and every ten minutes
/// of a run that lasts. It then evicts what matters least: parked reports first, then reports known to be no crashes,
/// then those of which nothing is known, then crashes, in each group the oldest first; never what is being sent. The
/// bytes of a victim are gone; its record stays 90 days, with the limit's name.
public struct SpoolLimits: Hashable, Sendable {
    /// The largest payload that is collected, in bytes; of a file, the bytes that its blocks take. The default is 4
    /// GiB.
    public var maximumReportByteCount: UInt64 = 4 << 30
    /// Space that is left to others on the file system, in bytes. The default, `nil`, is 5 % of the file system, at
    /// most 64 MiB for a report of up to 1 MiB and at most 1 GiB for a larger one.
    public var minimumFreeByteCount: UInt64?
    /// All stored reports together, compressed, in bytes. A report that is larger by itself is not collected. The
    /// default, `nil`, is 10 % of the file system, at least 64 MiB and at most 16 GiB.
    public var maximumTotalByteCount: UInt64?
    /// How many reports are stored at most. The default is 200,000.
    public var maximumCount: Int = 200_000
    /// How long an undelivered report is kept, counted by the ledger's own clock, which no setting of the machine's
    /// clock moves by more than 24 hours at a boot. The default is 90 days.
    public var maximumAge: Duration = .seconds(90 * 86_400)

    /// The defaults.
    public init() {}

    /// Up to this size a report may take more of what is free: 1 MiB.
    private static let smallReportByteCount: UInt64 = 1 << 20

    /// What has to stay free on a file system of that size when a report of that size comes in, in bytes.
    package func floor(ofTotal fileSystem: UInt64, forReportOf size: UInt64) -> UInt64 {
        minimumFreeByteCount ?? min(size <= Self.smallReportByteCount ? 64 << 20 : 1 << 30, fileSystem / 20)
    }

    /// How much all stored reports may take on a file system of that size, in bytes.
    package func total(ofTotal fileSystem: UInt64) -> UInt64 {
        maximumTotalByteCount ?? min(max(fileSystem / 10, 64 << 20), 16 << 30)
    }

    /// How much longer than it has bytes a file may be: its holes are read, too.
    private static let longestWithHoles: UInt64 = 256

    /// Why a file is not taken, by its size: what its blocks take, or its length where nearly all of it is holes.
    func refusal(of facts: FileMetadata) -> PayloadProblem? {
        let limit = maximumReportByteCount
        let (longest, overflow) = limit.multipliedReportingOverflow(by: Self.longestWithHoles)
        if facts.countedByteCount > limit { return .tooLarge(size: facts.countedByteCount, limit: limit) }
        if !overflow, facts.size > longest { return .tooLarge(size: facts.size, limit: longest) }
        return nil
    }
}
