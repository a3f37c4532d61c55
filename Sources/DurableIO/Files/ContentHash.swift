/// The SHA-256 of some bytes: the identity of a report, and the check of what is stored and sent.
///
/// This module only knows the value. `Digests` computes it.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        self.init(hexDigits: Array(hex.utf8)[...])
    }

    /// The same of ASCII bytes.
    package init?(hexDigits digits: ArraySlice<UInt8>) {
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var index = digits.startIndex
        while index < digits.endIndex {
            guard digits[index].isLowerHexDigit, digits[index + 1].isLowerHexDigit,
                let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue
            else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        self.bytes = bytes
    }

    package static let byteCount = 32

    /// 64 lower-case hexadecimal digits.
    package var hex: String { bytes.hexDigits }

    package var description: String { hex }

    /// The base64 form of structured fields and digest headers (RFC 9530).
    package var base64: String { Base64.encode(bytes) }
}
