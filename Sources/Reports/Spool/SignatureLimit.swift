import DurableIO

/// A limit of how many crash reports of one fault a spool takes in within a time, for example ten within an hour.
///
/// Crashes of the same fault have the same *signature*: a hash of the program, the cause and the first frames of the
/// program's own code. A report without a signature is never left out by this limit, and neither is a report with a
/// request of its own (``Reporter/submit(_:request:kind:identifier:annotations:)``).
public struct SignatureLimit: Hashable, Sendable {
    /// The largest number of reports of one signature within the time. A number below 1 counts as 1.
    public var count: Int
    /// The time.
    ///
    /// The ledger's own clock counts it, so that no wrong setting of the machine's clock opens or closes the limit. The
    /// ledger remembers reports for 90 days at most, so a longer time works like 90 days.
    public var period: Duration

    /// Makes a limit.
    /// - Parameters:
    ///   - count: the largest number of reports of one signature within the time.
    ///   - period: the time.
    public init(count: Int, per period: Duration) {
        self.count = count
        self.period = period
    }

    /// What each report that is left out says about it, for people.
    var words: String { "at most \(self) of one signature are kept" }
    var periodMilliseconds: Int64 { max(0, period.wholeMilliseconds) }
}

extension SignatureLimit: CustomStringConvertible {
    /// The limit as the setting `max_per_signature` is written, for example `10 per 1 h`.
    public var description: String { "\(max(1, count)) per \(TimeSpan.exactly(milliseconds: periodMilliseconds))" }
}

extension SignatureLimit {
    /// The largest number that a setting may have.
    private static let largestCount = 100_000
    /// The longest time that a setting may have: 90 days, in milliseconds.
    private static let longestPeriod: Int64 = 90 * 86_400_000

    /// What a text has to be, for messages.
    static let expectation =
        "a number of reports up to 100000 and a time of up to 90 d, for example 10 per 1 h or 5 per 30 m, or none"

    /// Reads `10 per 1 h`, with or without blanks, or with `/` for `per`; `nil` for anything else.
    init?(_ text: String) {
        let parts = text.replacing("per", with: "/", maxReplacements: 1)
            .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let (number, time) = (Self.trimmed(parts[0]), Self.trimmed(parts[1]))
        let digits = time.prefix(while: \.isNumber)
        guard number.allSatisfy(\.isASCII), number.allSatisfy(\.isNumber), let count = Int(number),
            (1...Self.largestCount).contains(count),
            let period = TimeSpan.milliseconds(digits + Self.trimmed(time.dropFirst(digits.count))),
            period <= Self.longestPeriod
        else { return nil }
        self.init(count: count, per: .milliseconds(period))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " }
        guard let last = start.lastIndex(where: { $0 != " " }) else { return start[..<start.startIndex] }
        return start[...last]
    }
}
