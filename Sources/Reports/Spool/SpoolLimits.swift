import DurableIO

/// The limits of what a spool may hold.
///
/// The size of a report and the free space are checked before a payload is stored. If a payload breaks one of these two
/// limits, it is not stored: a call throws a ``ReportsError`` with the code ``ReportsError/Code/cannotWrite``, and the
/// owner of the spool leaves a dropped file in `incoming/`.
///
/// The owner of the spool checks the other limits. It checks ``maximumPerSignature`` when it takes a report in: a report
/// beyond this limit is evicted at once, and the reports that came before it stay. Such a report was never stored. Its
/// row stays for 7 days.
///
/// It checks the total size, the count and the age only when nothing more can be sent, at the end of each run, and every
/// ten minutes of a run that lasts. Then it evicts parked reports first, then reports known not to be crashes, then
/// reports of unknown kind, then crashes. In each group the oldest report goes first. A report that is being sent is
/// never evicted. The bytes of an evicted report are deleted. Its row stays for 90 days, with the name of the limit.
public struct SpoolLimits: Hashable, Sendable {
    /// The largest payload, in bytes. A file is measured by the bytes that its blocks take on disk. The default is
    /// 4 GiB.
    public var maximumReportByteCount: UInt64 = 4 << 30
    /// The free space to be left on the file system, in bytes. The default, `nil`, is 5 % of the file system. This
    /// default is capped: at 64 MiB for a report of up to 1 MiB, and at 1 GiB for a larger report.
    public var minimumFreeByteCount: UInt64?
    /// The largest total size of all stored reports, compressed, in bytes. A report that is larger than this limit by
    /// itself is not collected. The default, `nil`, is 10 % of the file system, at least 64 MiB and at most 16 GiB.
    public var maximumTotalByteCount: UInt64?
    /// The largest number of stored reports. The default is 200,000.
    public var maximumCount: Int = 200_000
    /// The longest time for which an undelivered report is kept. The default is 90 days.
    ///
    /// The ledger's own clock counts this time. A wrong setting of the machine's clock moves the ledger's clock by at
    /// most 24 hours at each boot.
    public var maximumAge: Duration = .seconds(90 * 86_400)

    /// The largest number of reports of one signature that are taken in within a time. The default, `nil`, is no such
    /// limit.
    ///
    /// This limit is the brake on a crash loop: of a thousand different crash reports of one fault, the spool keeps the
    /// first ones that it takes in, and names the others. The limit counts each report that it let in, whatever became
    /// of that report. The same bytes once more are no new report: they are counted in the row of the report that the
    /// spool has. If several drops wait at once, the owner takes in the newest crash first.
    public var maximumPerSignature: SignatureLimit?

    /// Makes limits with the default values.
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
