/// How long a look may take. When a run ends soon, its looks are short, so that there is time to bring in the sources.
struct LookTime {
    /// The time to go through the drops, in milliseconds; `nil` sets no limit.
    let listing: Int64?
    /// The time to read the beginnings of drops and entries in order to find the crashes, in milliseconds.
    let reading: Int64

    private static let readingTime: Int64 = 1_000
    private static let shortestTime: Int64 = 50

    /// Makes the time of a look in a run.
    /// - Parameters:
    ///   - left: how long the run lasts from now, in milliseconds. The default, `nil`, means that the owner does not
    ///     know. A quarter of this time goes to listing. An eighth, but at most 1 s, goes to reading.
    ///   - cutCount: the number of looks in a row that had no time to go through all drops. Each of them doubles the
    ///     time for listing, so that drops which cannot be taken do not hide the other drops for ever.
    init(within left: Int64? = nil, cutCount: Int = 0) {
        listing = left.map { max(Self.shortestTime, $0 / 4) << Int64(min(cutCount, 16)) }
        reading = left.map { min(Self.readingTime, max(Self.shortestTime, $0 / 8)) } ?? Self.readingTime
    }
}
