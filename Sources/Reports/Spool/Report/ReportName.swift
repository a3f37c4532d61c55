import DurableIO

/// The name of a payload that somebody gives who need not be trusted.
package enum ReportName {
    private static let maximumByteCount = 255

    /// A name that a file can have, without control characters: `_` stands for them and for each `/`. A longer name is
    /// cut to 255 bytes.
    /// - Returns: `nil` if the bytes are no name.
    package static func safe(_ name: [UInt8]) -> [UInt8]? {
        let isNone = name.isEmpty || name == Array(".".utf8) || name == Array("..".utf8)
        guard !isNone else { return nil }
        return name.prefix(maximumByteCount).map { byte in
            byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
        }
    }
}
