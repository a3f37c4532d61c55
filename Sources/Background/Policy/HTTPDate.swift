/// The date of HTTP header fields (RFC 9110, section 5.6.7), as milliseconds since 1970-01-01T00:00:00Z.
///
/// All three forms are read: IMF-fixdate `Sun, 06 Nov 1994 08:49:37 GMT`, RFC 850 `Sunday, 06-Nov-94 08:49:37 GMT` and
/// asctime `Sun Nov  6 08:49:37 1994`. Only the first is written.
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
        let seconds: Int64?
        if scanner.skip(",") {
            seconds = scanner.commaForm(weekday: weekday, nowSeconds: floorDivide(nowMilliseconds, 1_000))
        } else {
            seconds = scanner.asctime(weekday: weekday)
        }
        guard let seconds, scanner.isAtEnd else { return nil }
        return seconds * 1_000
    }

    /// Writes an IMF-fixdate, for instance `Thu, 01 Jan 1970 00:00:00 GMT`.
    ///
    /// Parts of a second are cut off. Times outside the years 0 to 9999, which the form cannot hold, become the nearest
    /// time it can.
    ///
    /// - Parameter milliseconds: milliseconds since 1970.
    /// - Returns: 29 ASCII characters.
    package static func format(milliseconds: Int64) -> String {
        let seconds = min(max(floorDivide(milliseconds, 1_000), firstSecond), lastSecond)
        let days = floorDivide(seconds, 86_400)
        let date = CivilDate(days: days)
        let time = seconds - days * 86_400
        // 1970-01-01 was a Thursday, the fourth day after Sunday.
        let weekday = weekdays[Int(days + 4 - floorDivide(days + 4, 7) * 7)].prefix(3)
        let clock = [time / 3_600, time / 60 % 60, time % 60].map { padded($0, 2) }.joined(separator: ":")
        let month = months[date.month - 1]
        return "\(weekday), \(padded(Int64(date.day), 2)) \(month) \(padded(date.year, 4)) \(clock) GMT"
    }

    fileprivate static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
    fileprivate static let firstSecond: Int64 = -62_167_219_200
    fileprivate static let lastSecond: Int64 = 253_402_300_799

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A day of the Gregorian calendar, extended to before its introduction.
private struct CivilDate {
    let year: Int64
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int

    /// A date that exists, else `nil`.
    init?(year: Int64, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.lengths(year)[month - 1] else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The date so many days after 1970-01-01.
    init(days: Int64) {
        // 400 years have 146,097 days. The average year puts the guess at most one year off.
        var year = floorDivide((days + Self.daysFromYearOneTo1970) * 400, 146_097) + 1
        while days < Self.daysBefore(year: year) { year -= 1 }
        while days >= Self.daysBefore(year: year + 1) { year += 1 }
        var rest = Int(days - Self.daysBefore(year: year))
        var month = 1
        for length in Self.lengths(year) {
            guard rest >= length else { break }
            rest -= length
            month += 1
        }
        (self.year, self.month, self.day) = (year, month, rest + 1)
    }

    /// Days since 1970-01-01.
    var days: Int64 {
        Self.daysBefore(year: year) + Int64(Self.lengths(year).prefix(month - 1).reduce(0, +) + day - 1)
    }

    private static let daysFromYearOneTo1970: Int64 = 719_162

    /// Days from 1970-01-01 to 1 January of `year`.
    private static func daysBefore(year: Int64) -> Int64 {
        let past = year - 1
        let leapDays = floorDivide(past, 4) - floorDivide(past, 100) + floorDivide(past, 400)
        return past * 365 + leapDays - daysFromYearOneTo1970
    }

    private static func lengths(_ year: Int64) -> [Int] {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }
}

/// Reads a date from left to right; each step says whether it found what it was asked for.
private struct DateScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = Array(text.utf8)[...].drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        self.rest = rest
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The rest of `Sun, 06 Nov 1994 08:49:37 GMT` or `Sunday, 06-Nov-94 08:49:37 GMT` after the comma.
    mutating func commaForm(weekday: String, nowSeconds: Int64) -> Int64? {
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
            ? Self.year(ending: Int64(digits), month: month, day: day, time: time, nowSeconds: nowSeconds)
            : Int64(digits)
        return CivilDate(year: year, month: month, day: day).map { $0.days * 86_400 + time }
    }

    /// The rest of `Sun Nov  6 08:49:37 1994` after the weekday.
    mutating func asctime(weekday: String) -> Int64? {
        guard HTTPDate.weekdays.contains(where: { $0.prefix(3).lowercased() == weekday }) else { return nil }
        guard skip(" "), let month = month(), skip(" ") else { return nil }
        // A day below 10 is padded with a space.
        guard let day = skip(" ") ? number(1) : number(2), skip(" "), let time = timeOfDay() else { return nil }
        guard skip(" "), let year = number(4) else { return nil }
        return CivilDate(year: Int64(year), month: month, day: day).map { $0.days * 86_400 + time }
    }

    /// The letters that come next, in lower case; empty if there are none.
    mutating func word() -> String {
        let letters = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        rest = rest.dropFirst(letters.count)
        return String(decoding: letters.map { $0 | 0x20 }, as: UTF8.self)
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func number(_ digits: Int) -> Int? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func month() -> Int? {
        let name = word()
        return HTTPDate.months.firstIndex { $0.lowercased() == name }.map { $0 + 1 }
    }

    /// `08:49:37` as seconds since midnight.
    private mutating func timeOfDay() -> Int64? {
        guard let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2) else {
            return nil
        }
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        return Int64(hour * 3_600 + minute * 60 + second)
    }

    /// The four-digit year meant by two digits: the last one in which the time is not more than 50 years ahead.
    private static func year(ending digits: Int64, month: Int, day: Int, time: Int64, nowSeconds: Int64) -> Int64 {
        let now = min(max(nowSeconds, 0), HTTPDate.lastSecond)
        let today = CivilDate(days: floorDivide(now, 86_400))
        let latest = [today.year + 50, Int64(today.month), Int64(today.day), now % 86_400]
        let century = (today.year + 50) / 100 * 100
        let candidate = [century + digits, Int64(month), Int64(day), time]
        return latest.lexicographicallyPrecedes(candidate) ? candidate[0] - 100 : candidate[0]
    }
}

/// The quotient rounded towards minus infinity; `divisor` is above zero.
private func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
}
