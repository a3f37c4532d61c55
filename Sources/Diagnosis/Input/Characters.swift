/// Classes of characters. This target uses no other one of this package, so it has these few of its own.
extension UInt8 {
    /// `0` to `9`.
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// `a` to `z`, `A` to `Z`.
    var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

    /// A space or a tab.
    var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// What a hexadecimal digit stands for, in either case; `nil` for any other character.
    var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Collection<UInt8> {
    /// The number that the bytes write in decimal digits; `nil` for anything else, and beyond 63 bits.
    var decimalNumber: Int64? {
        guard !self.isEmpty, self.count <= 19, self.allSatisfy(\.isDigit) else { return nil }
        return Int64(String(decoding: self, as: UTF8.self))
    }

    /// The number that the bytes write in hexadecimal digits, with or without `0x`; `nil` for anything else.
    var hexNumber: UInt64? {
        let digits = self.dropFirst(self.starts(with: "0x".utf8) ? 2 : 0)
        guard !digits.isEmpty, digits.count <= 16 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let digit = digit.hexValue else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits for each byte.
    var hexText: String {
        var digits: [UInt8] = []
        for byte in self {
            for half in [byte >> 4, byte & 15] {
                digits.append(half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") + half - 10)
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}

extension Unicode.Scalar {
    /// Whether it ends a line, as `Character.isNewline` tells.
    var isNewline: Bool {
        switch self {
        case "\n"..."\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }
}
