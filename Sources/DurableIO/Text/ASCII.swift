/// Classes of characters in protocols and file names, which know ASCII only.
extension UInt8 {
    /// `0` to `9`.
    package var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// `a` to `z`, `A` to `Z`.
    package var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    /// `0` to `9`, `a` to `z`, `A` to `Z`.
    package var isASCIIAlphanumeric: Bool { isASCIIDigit || isASCIILetter }

    /// A space or a tab.
    package var isASCIIBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}

extension UInt64 {
    /// A number of nothing but digits; the standard library's own conversion takes a sign, too.
    package init?(digits: some StringProtocol) {
        self.init(digits: Array(digits.utf8)[...])
    }

    /// The same of bytes.
    package init?(digits: ArraySlice<UInt8>) {
        guard !digits.isEmpty else { return nil }
        self = 0
        for digit in digits {
            guard digit.isASCIIDigit else { return nil }
            let (tens, isTooLarge) = multipliedReportingOverflow(by: 10)
            let (sum, isOneTooMany) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !isTooLarge, !isOneTooMany else { return nil }
            self = sum
        }
    }
}

extension ArraySlice<UInt8> {
    /// Without the blanks at both ends.
    package var withoutBlanks: ArraySlice<UInt8> {
        var rest = drop(while: \.isASCIIBlank)
        while let last = rest.last, last.isASCIIBlank { rest.removeLast() }
        return rest
    }
}
