/// Hexadecimal digits in ASCII, and what they stand for.
extension UInt8 {
    /// The digit of the low four bits, in lower case.
    package var hexDigit: UInt8 {
        let value = self & 15
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// What this digit stands for, in either case; `nil` for any other character.
    package var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// `0` to `9`, `a` to `f`: the digits of ids and nonces.
    package var isLowerHexDigit: Bool { isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self) }
}

extension Sequence<UInt8> {
    /// Two lower-case digits for each byte.
    package var hexDigits: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * underestimatedCount)
        for byte in self { digits += [(byte >> 4).hexDigit, byte.hexDigit] }
        return String(decoding: digits, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The bytes that hexadecimal digits in either case stand for; `nil` if another character is among them, or if their
    /// number is odd.
    package init?(hexDigits digits: some Collection<UInt8>) {
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        reserveCapacity(digits.count / 2)
        var rest = digits[...]
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = high.hexDigitValue, let low = low.hexDigitValue else { return nil }
            append(high << 4 | low)
        }
    }
}
