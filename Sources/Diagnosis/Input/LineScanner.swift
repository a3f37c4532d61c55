/// Reads what stands at the beginning of a line, piece by piece.
///
/// A piece that is not there leaves the scanner where it was, so that another form can be tried.
struct LineScanner {
    /// What has not been taken yet.
    private(set) var rest: ByteView

    init(_ line: ByteView) {
        self.rest = line
    }

    /// Takes all up to an index of the line.
    mutating func accept(to index: Int) {
        self.rest = self.rest[index...]
    }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard self.rest.first == byte else { return false }
        self.rest = self.rest.dropFirst()
        return true
    }

    mutating func accept(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard self.rest.count >= count else { return false }
        for offset in 0..<count where self.rest[self.rest.startIndex + offset] != text.utf8Start[offset] {
            return false
        }
        self.rest = self.rest.dropFirst(count)
        return true
    }

    /// Takes a number of so many digits.
    mutating func takeDigits(_ count: ClosedRange<Int>) -> Bool {
        var end = self.rest.startIndex
        // One more than allowed is looked at, to see that they are too many.
        let limit = min(self.rest.endIndex, end + count.upperBound + 1)
        while end < limit, self.rest[end].isDigit { end += 1 }
        guard count.contains(end - self.rest.startIndex) else { return false }
        self.accept(to: end)
        return true
    }

    /// Takes the characters up to the first blank, and one blank.
    mutating func takeWord() -> ByteView? {
        let word = self.rest.prefix { $0 > 0x20 }
        guard !word.isEmpty, self.rest[word.endIndex...].first == 0x20 else { return nil }
        self.rest = self.rest[word.endIndex...].dropFirst()
        return word
    }

    mutating func skipBlanks() {
        self.rest = self.rest.drop { $0 == 0x20 }
    }

    /// Takes a piece of several parts, all of them or none.
    mutating func takeAll(_ parts: (inout LineScanner) -> Bool) -> Bool {
        var copy = self
        guard parts(&copy) else { return false }
        self = copy
        return true
    }
}

// MARK: - Dates and times

extension LineScanner {
    private static let months = Set(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map(Self.code))
    private static let weekdays = Set(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(Self.code))

    /// Three letters as a number, to be looked up without making text of them.
    private static func code(_ letters: some Sequence<UInt8>) -> UInt32 {
        letters.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func code(_ letters: String) -> UInt32 { self.code(letters.utf8) }

    private mutating func takeName(in names: Set<UInt32>) -> Bool {
        let letters = self.rest.prefix(3)
        guard letters.count == 3, letters.allSatisfy(\.isLetter), names.contains(Self.code(letters)) else {
            return false
        }
        self.rest = self.rest[letters.endIndex...]
        return true
    }

    mutating func takeMonth() -> Bool { self.takeName(in: Self.months) }

    mutating func takeWeekday() -> Bool { self.takeName(in: Self.weekdays) }

    /// `2026-11-28T` or `2026-11-28 `, or with another character between the numbers.
    mutating func takeDate(separator: UInt8 = UInt8(ascii: "-"), end: UInt8) -> Bool {
        self.takeAll {
            $0.takeDigits(4...4) && $0.accept(separator) && $0.takeDigits(2...2) && $0.accept(separator)
                && $0.takeDigits(2...2) && $0.accept(end)
        }
    }

    /// `08:21:39`, `08:21:39.114`, `08:21:39,114`.
    mutating func takeTimeOfDay() -> Bool {
        let colon = UInt8(ascii: ":")
        guard
            self.takeAll({
                $0.takeDigits(2...2) && $0.accept(colon) && $0.takeDigits(2...2) && $0.accept(colon)
                    && $0.takeDigits(2...2)
            })
        else { return false }
        _ = self.takeAll { ($0.accept(UInt8(ascii: ".")) || $0.accept(UInt8(ascii: ","))) && $0.takeDigits(1...9) }
        return true
    }

    /// `Z`, `+01:00` or `-0100` at the end of a time, if it is there.
    mutating func skipZone() {
        guard !self.accept(UInt8(ascii: "Z")) else { return }
        _ = self.takeAll {
            guard $0.accept(UInt8(ascii: "+")) || $0.accept(UInt8(ascii: "-")),
                $0.takeDigits(2...2) || $0.takeDigits(4...4)
            else { return false }
            return !$0.accept(UInt8(ascii: ":")) || $0.takeDigits(2...2)
        }
    }

    /// `Nov 28 08:21:39 `, `Nov  8 08:21:39.114000 `, and with a year as some senders write it.
    mutating func takeSyslogTime() -> Bool {
        self.takeAll {
            guard $0.takeMonth(), $0.accept(0x20) else { return false }
            $0.skipBlanks()
            guard $0.takeDigits(1...2), $0.accept(0x20) else { return false }
            _ = $0.takeAll { $0.takeDigits(4...4) && $0.accept(0x20) }
            guard $0.takeTimeOfDay() else { return false }
            $0.skipZone()
            return $0.accept(0x20)
        }
    }

    /// `2026-11-28T08:21:39.004Z `, the form of collectors.
    mutating func takeInternetTime() -> Bool {
        self.takeAll {
            guard $0.takeDate(end: UInt8(ascii: "T")), $0.takeTimeOfDay() else { return false }
            $0.skipZone()
            // pm2 writes a colon there.
            return $0.accept(0x20) || $0.accept(": ") || $0.accept(0x09)
        }
    }
}
