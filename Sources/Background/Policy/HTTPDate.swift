import DurableIO

/// The date of HTTP header fields (RFC 9110, section 5.6.7), as milliseconds since 1970-01-01T00:00:00Z.
///
/// All three forms are read: IMF-fixdate `Sun, 06 Nov 1994 08:49:37 GMT`, RFC 850 `Sunday, 06-Nov-94 08:49:37 GMT` and
/// asctime `Sun Nov  6 08:49:37 1994`.
package enum HTTPDate {
    /// Reads any of the three forms; anything else is `nil`.
    ///
    /// Letter case and spaces or tabs around the text do not matter. Ranges do: there is no 30 February, no hour 24. A
    /// second of 60 is a leap second and counts as the first second of the next minute. The name of the weekday has to
    /// be a name, not the right one: a server that has it wrong has still told the time.
    ///
    /// - Parameters:
    ///   - text: the field's value.
    ///   - nowMilliseconds: the time a two-digit year is near to, in milliseconds since 1970: such a year is the last
    ///     one with these digits that is not more than 50 years ahead. The other forms ignore it.
    /// - Returns: milliseconds since 1970, negative before it.
    package static func parse(_ text: String, nowMilliseconds: Int64) -> Int64? {
        var scanner = DateScanner(text)
        let weekday = scanner.word()
        let milliseconds: Int64?
        if scanner.skip(",") {
            milliseconds = scanner.commaForm(weekday: weekday, nowMilliseconds: nowMilliseconds)
        } else {
            milliseconds = scanner.asctime(weekday: weekday)
        }
        return scanner.isAtEnd ? milliseconds : nil
    }

    fileprivate static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// 9999-12-31T23:59:59Z, in milliseconds since 1970.
    fileprivate static let lastMilliseconds: Int64 = 253_402_300_799_000
}

/// Reads a date from left to right; each step says whether it found what it was asked for.
private struct DateScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Array(text.utf8)[...].withoutBlanks
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The rest of `Sun, 06 Nov 1994 08:49:37 GMT` or `Sunday, 06-Nov-94 08:49:37 GMT` after the comma.
    mutating func commaForm(weekday: String, nowMilliseconds: Int64) -> Int64? {
        guard skip(" "), let day = number(2) else { return nil }
        let isRFC850 = skip("-")
        let names = HTTPDate.weekdays.map { isRFC850 ? $0.lowercased() : $0.prefix(3).lowercased() }
        guard names.contains(weekday), isRFC850 || skip(" "), let month = month(), skip(isRFC850 ? "-" : " ") else {
            return nil
        }
        guard let digits = number(isRFC850 ? 2 : 4), skip(" "), let time = timeOfDay() else { return nil }
        guard skip(" "), word() == "gmt" else { return nil }
        let year =
            isRFC850
            ? Self.year(ending: digits, month: month, day: day, time: time, nowMilliseconds: nowMilliseconds) : digits
        return Self.milliseconds(year: year, month: month, day: day, time: time)
    }

    /// The rest of `Sun Nov  6 08:49:37 1994` after the weekday.
    mutating func asctime(weekday: String) -> Int64? {
        guard HTTPDate.weekdays.contains(where: { $0.prefix(3).lowercased() == weekday }) else { return nil }
        guard skip(" "), let month = month(), skip(" ") else { return nil }
        // A day below 10 is padded with a space.
        guard let day = skip(" ") ? number(1) : number(2), skip(" "), let time = timeOfDay() else { return nil }
        guard skip(" "), let year = number(4) else { return nil }
        return Self.milliseconds(year: year, month: month, day: day, time: time)
    }

    /// The letters that come next, in lower case; empty if there are none.
    mutating func word() -> String {
        let letters = rest.prefix(while: \.isASCIILetter)
        rest = rest.dropFirst(letters.count)
        return String(decoding: letters.map { $0 | 0x20 }, as: UTF8.self)
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func number(_ digits: Int) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy(\.isASCIIDigit) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    private mutating func month() -> Int64? {
        let name = word()
        return HTTPDate.months.firstIndex { $0.lowercased() == name }.map { Int64($0) + 1 }
    }

    /// `08:49:37` as seconds since midnight.
    private mutating func timeOfDay() -> Int64? {
        guard let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2) else {
            return nil
        }
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    /// Seconds may go beyond midnight, as a leap second does. A day that does not exist is `nil`.
    private static func milliseconds(year: Int64, month: Int64, day: Int64, time seconds: Int64) -> Int64? {
        let midnight = CivilTime(year: year, month: month, day: day, hour: 0, minute: 0, second: 0)
        return midnight.exists ? midnight.milliseconds + seconds * 1_000 : nil
    }

    /// The four-digit year meant by two digits: the last one in which the time is not more than 50 years ahead.
    private static func year(
        ending digits: Int64, month: Int64, day: Int64, time: Int64, nowMilliseconds: Int64
    ) -> Int64 {
        let now = CivilTime(milliseconds: min(max(nowMilliseconds, 0), HTTPDate.lastMilliseconds))
        let latest = [now.year + 50, now.month, now.day, now.hour * 3_600 + now.minute * 60 + now.second]
        let century = (now.year + 50) / 100 * 100
        let candidate = [century + digits, month, day, time]
        return latest.lexicographicallyPrecedes(candidate) ? candidate[0] - 100 : candidate[0]
    }
}
