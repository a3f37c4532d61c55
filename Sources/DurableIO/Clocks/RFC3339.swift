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
            guard digit.isASCIIDigit else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
