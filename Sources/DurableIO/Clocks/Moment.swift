/// A point in time as people write it on a command line.
///
/// Understood are RFC 3339 times with any offset (`2026-11-28T06:00:00.5+01:00`), times without an offset, which are
/// UTC (`2026-11-28 06:00`), dates, which mean their beginning in UTC (`2026-11-28`), and seconds since 1970
/// (`@1764309600`).
package enum Moment {
    /// What is expected, for messages.
    package static let expectation =
        "a time as 2026-11-28T06:00:00Z, 2026-11-28T06:00 or 2026-11-28 (UTC without an offset), or @SECONDS since 1970"

    /// The time in milliseconds since 1970 UTC, cut to the millisecond; `nil` for anything that is not understood, for
    /// a day or an hour that does not exist, and for years before 0 and after 9999.
    package static func milliseconds(_ text: String) -> Int64? {
        // The longest that is understood has an offset and a fraction. Nobody writes 64 characters of it.
        guard text.utf8.count <= 64 else { return nil }
        var fields = Fields(rest: Array(text.utf8)[...])
        let time = fields.skip("@") ? fields.secondsSince1970() : fields.civilTime()
        guard let time, fields.rest.isEmpty, (0...9_999).contains(CivilTime(milliseconds: time).year)
        else { return nil }
        return time
    }

    /// What is left of a text that is read from its beginning.
    private struct Fields {
        var rest: ArraySlice<UInt8>

        mutating func secondsSince1970() -> Int64? {
            // More digits are beyond the year 9999, and beyond what fits.
            let digits = rest.prefix(while: \.isASCIIDigit)
            guard (1...12).contains(digits.count), let seconds = number(digits.count),
                let fraction = millisecondsOfFraction()
            else { return nil }
            return seconds * 1_000 + fraction
        }

        mutating func civilTime() -> Int64? {
            guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2)
            else { return nil }
            var time = CivilTime(year: year, month: month, day: day, hour: 0, minute: 0, second: 0)
            if rest.isEmpty { return time.exists ? time.milliseconds : nil }
            guard skip("T", "t", " "), let hour = number(2), skip(":"), let minute = number(2) else { return nil }
            (time.hour, time.minute) = (hour, minute)
            var afterwards: Int64 = 0
            if skip(":") {
                guard let second = number(2), let fraction = millisecondsOfFraction() else { return nil }
                // A leap second has no number of its own among the seconds since 1970.
                (time.second, afterwards) = second == 60 ? (59, 1_000) : (second, 0)
                time.millisecond = fraction
            }
            guard time.exists, let offset = minutesEast() else { return nil }
            return time.milliseconds + afterwards - offset * 60_000
        }

        /// 0 where no fraction follows; `nil` for a point without a digit.
        private mutating func millisecondsOfFraction() -> Int64? {
            guard skip(".") else { return 0 }
            let digits = rest.prefix(while: \.isASCIIDigit)
            rest = rest[digits.endIndex...]
            guard !digits.isEmpty else { return nil }
            let first = digits.prefix(3).reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
            return digits.count == 1 ? first * 100 : digits.count == 2 ? first * 10 : first
        }

        /// Minutes east of UTC; 0 where no offset follows.
        private mutating func minutesEast() -> Int64? {
            if rest.isEmpty || skip("Z", "z") { return 0 }
            // `date +'%F %T %z'` writes a blank before the offset and no colon in it.
            _ = skip(" ")
            let isWest = rest.first == UInt8(ascii: "-")
            guard skip("+", "-"), let hours = number(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return (hours * 60 + minutes) * (isWest ? -1 : 1)
        }

        private mutating func number(_ count: Int) -> Int64? {
            let digits = rest.prefix(count)
            guard digits.count == count, digits.allSatisfy(\.isASCIIDigit) else { return nil }
            rest = rest.dropFirst(count)
            return digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }

        fileprivate mutating func skip(_ alternatives: Unicode.Scalar...) -> Bool {
            guard let first = rest.first, alternatives.contains(Unicode.Scalar(first)) else { return false }
            rest = rest.dropFirst()
            return true
        }
    }
}
