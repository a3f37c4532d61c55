/// A time with its zone, as documents write it: `2026-11-22T11:13:03.038846Z`, `2022-04-20 14:36:33.5767 +0100`.
enum ZonedTime {
    /// The time in milliseconds since 1970 UTC; `nil` for anything else, also for a time without a zone.
    static func milliseconds(in text: String) -> Int64? {
        var fields = Fields(rest: Array(text.utf8.prefix(64))[...].trimmed)
        guard let year = fields.number(4), fields.skip("-"), let month = fields.number(2), fields.skip("-"),
            let day = fields.number(2), fields.skip("T") || fields.skip(" "), let hour = fields.number(2),
            fields.skip(":"), let minute = fields.number(2), fields.skip(":"), let second = fields.number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        let fraction = fields.skip(".") ? fields.milliseconds() : 0
        guard let offset = fields.zone() else { return nil }
        let days = self.days(year: year, month: month, day: day)
        return (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000 + fraction
    }

    /// Days since 1970-01-01 of the Gregorian calendar. The year begins in March here, so that a leap day is its last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }

    private struct Fields {
        var rest: ArraySlice<UInt8>

        mutating func number(_ count: Int) -> Int64? {
            let digits = self.rest.prefix(count)
            guard digits.count == count, let number = digits.decimalNumber else { return nil }
            self.rest = self.rest.dropFirst(count)
            return number
        }

        mutating func skip(_ text: String) -> Bool {
            guard let rest = self.rest.dropping(text) else { return false }
            self.rest = rest
            return true
        }

        /// The first three digits of a fraction; the others are dropped.
        mutating func milliseconds() -> Int64 {
            let digits = self.rest.prefix(while: \.isDigit)
            self.rest = self.rest[digits.endIndex...]
            return (Array(digits.prefix(3)) + Array("000".utf8.dropFirst(digits.count)))[...].decimalNumber ?? 0
        }

        /// Minutes east of UTC, from `Z`, `+0100` or `+01:00` at the end of the text.
        mutating func zone() -> Int64? {
            _ = self.skip(" ")
            if self.rest.elementsEqual("Z".utf8) || self.rest.elementsEqual("UTC".utf8) { return 0 }
            let isWest = self.rest.first == UInt8(ascii: "-")
            guard self.skip("+") || self.skip("-"), let hours = self.number(2) else { return nil }
            _ = self.skip(":")
            guard let minutes = self.number(2), self.rest.isEmpty, hours < 24, minutes < 60 else { return nil }
            return (hours * 60 + minutes) * (isWest ? -1 : 1)
        }
    }
}
