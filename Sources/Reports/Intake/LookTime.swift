/// How long a look at the spool may take, so that a run that is to end soon has time left for what it has found.
struct LookTime {
    /// Going through the drops, in milliseconds; `nil` is as long as it takes.
    let listing: Int64?
    /// Reading which of them are crashes, in milliseconds.
    let reading: Int64

    private static let readingTime: Int64 = 1_000
    private static let shortestTime: Int64 = 50

    /// - Parameters:
    ///   - left: how long the run lasts from now, in milliseconds; `nil`, the default, where nobody knows. A quarter of
    ///     it goes to listing, an eighth and 1 s at most to reading.
    ///   - cutCount: how many looks before it had too little time. Each gives the next one twice as much, so that drops
    ///     that cannot be taken do not hide the others for ever.
    init(within left: Int64? = nil, cutCount: Int = 0) {
        listing = left.map { max(Self.shortestTime, $0 / 4) << Int64(min(cutCount, 16)) }
        reading = left.map { min(Self.readingTime, max(Self.shortestTime, $0 / 8)) } ?? Self.readingTime
    }
}
