/// How long a transfer, or an origin, waits after a failure, and when a transfer has failed often enough.
///
/// Waits grow from 5 s to 1 h, doubling with each failure in a row, and are spread so that many clients do not come
/// back together. What the server asks for is a floor: no wait is ever shorter. All times are milliseconds.
package struct RetryPolicy: Hashable, Sendable {
    /// The longest wait after the first failure, in milliseconds. The default is 5 seconds.
    package var base: Int64

    /// The longest wait that failures alone can lead to, in milliseconds. The default is one hour.
    package var cap: Int64

    /// The longest wait that a server's `Retry-After` can lead to before the spread is added, in milliseconds. The
    /// default is 24 hours.
    package var maximumRetryAfter: Int64

    /// The number of failures charged to one item after which it is exhausted. The default is 12.
    package var maximumCharges: Int

    /// The most transfers that may be under way to one origin at a time. The default is 16.
    package var maximumWindow: Int

    /// The age at which an item is exhausted, in milliseconds of the ledger's clock. The default is 30 days.
    package var maximumAge: Int64

    /// A policy with the documented defaults where nothing else is given.
    package init(
        base: Int64 = 5_000,
        cap: Int64 = 3_600_000,
        maximumRetryAfter: Int64 = RetryAfter.maximumMilliseconds,
        maximumCharges: Int = 12,
        maximumWindow: Int = 16,
        maximumAge: Int64 = 30 * 24 * 3_600_000
    ) {
        self.base = base
        self.cap = cap
        self.maximumRetryAfter = maximumRetryAfter
        self.maximumCharges = maximumCharges
        self.maximumWindow = maximumWindow
        self.maximumAge = maximumAge
    }

    /// The wait before the next attempt.
    ///
    /// With b = min(cap, base · 2^(failures − 1)) it is, without `Retry-After`, evenly spread over b/2...b. With it,
    /// it is the largest of `Retry-After`, 1 s and, from the second failure on, a value from b/2...b; then a tenth of
    /// `Retry-After` at most is added where that is below 30 s, else half of it at most.
    ///
    /// - Parameters:
    ///   - failures: failures in a row, of the item or of its origin, this one included; less than 1 counts as 1.
    ///   - retryAfter: what the server asked for, in milliseconds, if it asked.
    ///   - generator: where the spread comes from.
    /// - Returns: milliseconds, at most the larger of ``cap`` and ``maximumRetryAfter``, and half of the latter.
    package func delay(
        failures: Int,
        retryAfter: Int64?,
        using generator: inout some RandomNumberGenerator
    ) -> Int64 {
        let longest = backoff(failures: failures)
        guard let retryAfter else { return .random(in: longest / 2...longest, using: &generator) }

        let asked = min(max(retryAfter, 0), max(maximumRetryAfter, 0))
        let ownWait = failures >= 2 ? Int64.random(in: longest / 2...longest, using: &generator) : 0
        // Everyone who was told "in 60 s" was told so at the same moment; a short wait is kept short.
        let spread = asked < Self.longWaitMilliseconds ? asked / 10 : asked / 2
        let (wait, overflow) = max(asked, Self.shortestObeyedMilliseconds, ownWait)
            .addingReportingOverflow(.random(in: 0...spread, using: &generator))
        return overflow ? .max : wait
    }

    /// `Retry-After: 0` is not a licence to spin: 1 s at least.
    private static let shortestObeyedMilliseconds: Int64 = 1_000

    /// From this `Retry-After` on, the spread is half of it instead of a tenth.
    private static let longWaitMilliseconds: Int64 = 30_000

    /// min(cap, base · 2^(failures − 1)), without computing the power where it would not fit.
    private func backoff(failures: Int) -> Int64 {
        let doublings = max(failures, 1) - 1
        let (base, cap) = (max(base, 0), max(cap, 0))
        // Swift's shifts by 64 or more give 0, so a large count ends at the cap.
        return base > cap >> doublings ? cap : base << doublings
    }
}
