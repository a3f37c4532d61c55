/// Lengths of time as people write and read them: `90s`, `15m`, `26h`, `7d`.
package enum TimeSpan {
    private static let units: [(letter: Character, milliseconds: Int64)] = [
        ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The longest that is understood: 100 years.
    private static let longest: Int64 = 36_525 * 86_400_000

    /// What is expected, for messages.
    package static let expectation =
        "a whole number from 1 with s, m, h or d, up to 100 years, for example 90s, 15m, 26h or 7d"

    /// Reads a whole number with its unit; `nil` for anything else, for 0, and for more than 100 years.
    package static func milliseconds(_ text: some StringProtocol) -> Int64? {
        guard let unit = units.first(where: { $0.letter == text.last }),
            text.dropLast().utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(text.dropLast()), number > 0
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow || product > longest ? nil : product
    }

    /// A length of time in the largest unit of which it is a whole multiple, as people write it: `90 s`, `30 m`, `1 h`.
    package static func exactly(milliseconds: Int64) -> String {
        guard let unit = units.last(where: { milliseconds > 0 && milliseconds.isMultiple(of: $0.milliseconds) }) else {
            return "\(Double(milliseconds) / 1_000) s"
        }
        return "\(milliseconds / unit.milliseconds) \(unit.letter)"
    }

    /// A length of time in the largest unit of which there are at least two, rounded down: `26 h`, not `1 d`.
    package static func words(milliseconds: Int64) -> String {
        let words = ["s", "min", "h", "d"]
        let index = units.lastIndex { milliseconds >= 2 * $0.milliseconds } ?? 0
        return "\(max(0, milliseconds) / units[index].milliseconds) \(words[index])"
    }
}
