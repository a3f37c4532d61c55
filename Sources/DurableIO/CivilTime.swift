/// A UTC date and time of the proleptic Gregorian calendar: pure arithmetic, for RFC 3339 and HTTP dates.
package struct CivilTime: Hashable, Sendable {
    package var year: Int64
    /// 1 to 12.
    package var month: Int64
    /// 1 to 31.
    package var day: Int64
    package var hour: Int64
    package var minute: Int64
    package var second: Int64
    package var millisecond: Int64

    package init(
        year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64, millisecond: Int64 = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.millisecond = millisecond
    }

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    package init(milliseconds: Int64) {
        let (days, rest) = Self.floorDivide(milliseconds, by: 86_400_000)
        // Days are counted from 0000-03-01, so that the leap day ends a year of 400-year eras.
        let shifted = days + 719_468
        let era = Self.floorDivide(shifted, by: 146_097).quotient
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1_000 % 60
        millisecond = rest % 1_000
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64 {
        daysSinceEpoch * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1_000 + millisecond
    }

    package var daysSinceEpoch: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = Self.floorDivide(shiftedYear, by: 400).quotient
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let quotient = value / divisor
        let remainder = value % divisor
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// Times as RFC 3339 in UTC with milliseconds, for example `2026-11-22T11:13:03.038Z`.
package enum RFC3339 {
    package static func string(milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        append(time.year, digits: 4, then: "-", to: &text)
        append(time.month, digits: 2, then: "-", to: &text)
        append(time.day, digits: 2, then: "T", to: &text)
        append(time.hour, digits: 2, then: ":", to: &text)
        append(time.minute, digits: 2, then: ":", to: &text)
        append(time.second, digits: 2, then: ".", to: &text)
        append(time.millisecond, digits: 3, then: "Z", to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what `string(milliseconds:)` writes; `nil` for anything else.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        var numbers: [Int64] = []
        for (start, count) in [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2), (20, 3)] {
            guard let number = number(bytes[start..<start + count]) else { return nil }
            numbers.append(number)
        }
        let time = CivilTime(
            year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4],
            second: numbers[5], millisecond: numbers[6])
        // Writing it again catches every out-of-range field and every wrong separator.
        return string(milliseconds: time.milliseconds) == text ? time.milliseconds : nil
    }

    private static func append(_ value: Int64, digits: Int, then separator: Unicode.Scalar, to text: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(max(0, value) / divisor % 10))
            divisor /= 10
        }
        text.append(UInt8(ascii: separator))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
