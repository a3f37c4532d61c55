import DurableIO

/// The wait a server asks for with `Retry-After` (RFC 9110, section 10.2.3), in milliseconds.
///
/// A server's number is a hint from outside: whatever it says, the result lies in 0...24 h and nothing overflows.
package enum RetryAfter {
    /// The longest wait a server can ask for: 24 hours, in milliseconds.
    package static let maximumMilliseconds: Int64 = 24 * 3_600 * 1_000

    /// Reads the field into a wait that starts when the answer arrives.
    ///
    /// Delay-seconds are digits; `1.5`, which the RFC does not allow but servers send, becomes the next whole second.
    /// An HTTP date is taken against the answer's own `Date`, so that both come from the server's clock; only without a
    /// readable `Date` against ours. A date that has passed is a wait of 0.
    ///
    /// - Parameters:
    ///   - header: the value of the first `Retry-After` field.
    ///   - date: the value of the same answer's `Date` field.
    ///   - nowMilliseconds: our wall clock, in milliseconds since 1970.
    /// - Returns: milliseconds, at most ``maximumMilliseconds``; `nil` if there is no field or it means nothing, as a
    ///   negative number does.
    package static func delay(header: String?, date: String?, nowMilliseconds: Int64) -> Int64? {
        guard let header else { return nil }
        if let seconds = wholeSeconds(header) {
            return min(seconds, maximumMilliseconds / 1_000) * 1_000
        }
        // The server's `Date` is also the better neighbour for a two-digit year: our clock may stand at 1970.
        let sent = date.flatMap { HTTPDate.parse($0, nowMilliseconds: nowMilliseconds) } ?? nowMilliseconds
        guard let due = HTTPDate.parse(header, nowMilliseconds: sent) else { return nil }
        let (wait, overflow) = due.subtractingReportingOverflow(sent)
        guard !overflow else { return due < sent ? 0 : maximumMilliseconds }
        return min(max(wait, 0), maximumMilliseconds)
    }

    /// `120` or `1.5`, with spaces or tabs around it, rounded up and saturated; `nil` for anything else.
    private static func wholeSeconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)[...].withoutBlanks
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }), let whole = parts.first else {
            return nil
        }
        let hasFraction = parts.count == 2 && parts[1].contains { $0 != UInt8(ascii: "0") }
        return saturatingSum(saturatingNumber(whole), hasFraction ? 1 : 0)
    }

    private static func saturatingNumber(_ digits: ArraySlice<UInt8>) -> Int64 {
        var number: Int64 = 0
        for digit in digits {
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            guard !overflow else { return .max }
            number = saturatingSum(tenfold, Int64(digit - UInt8(ascii: "0")))
        }
        return number
    }

    private static func saturatingSum(_ first: Int64, _ second: Int64) -> Int64 {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? .max : sum
    }
}
