import FoundationEssentials

/// RFC 4648 base64 with padding.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }

    /// Reads what ``encode(_:)`` writes; `nil` for anything else.
    package static func decode(_ text: String) -> [UInt8]? {
        // Foundation takes bits that no byte has (`QR==`), and padding alone (`====`). Writing it again catches both.
        guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}
