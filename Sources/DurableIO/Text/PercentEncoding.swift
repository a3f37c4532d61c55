/// Characters of URLs and file names as `%` and two hexadecimal digits for each byte (RFC 3986, section 2.1).
package enum PercentEncoding {
    /// Whether a byte stands for itself in each part of a URL (RFC 3986, section 2.3).
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || "-._~".utf8.contains(byte)
    }

    /// - Parameters:
    ///   - text: any text; its UTF-8 is encoded.
    ///   - keeps: whether a byte stays as it is. The default is ``isUnreserved(_:)``.
    /// - Returns: ASCII, if only ASCII stays.
    package static func encode(_ text: String, keeping keeps: (UInt8) -> Bool = isUnreserved) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if keeps(byte) { bytes.append(byte) } else { bytes += Array("%\([byte].hexDigits.uppercased())".utf8) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Returns: `nil` where two digits lack behind a `%`, or the bytes are no UTF-8.
    package static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
