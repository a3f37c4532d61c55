import DurableIO

/// The identifier of a report's event at Sentry: a UUID made of the report's id.
///
/// Each attempt to send a report has the same identifier, so that the server knows an event that it has.
enum SentryEventID {
    /// The first 16 bytes of the id with the bits of a UUID of version 4, as 32 hexadecimal digits without dashes.
    static func text(of id: ContentHash) -> String {
        var digits = Array(id.hex.utf8.prefix(32))
        // The version is one digit; the variant is the upper two bits of another.
        digits[12] = UInt8(ascii: "4")
        digits[16] = Self.variant[Int(UInt8(String(decoding: [digits[16]], as: UTF8.self), radix: 16) ?? 0) & 3]
        return String(decoding: digits, as: UTF8.self)
    }

    private static let variant = Array("89ab".utf8)
}
