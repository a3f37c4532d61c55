import DurableIO

/// A report's id in the form of a UUID, for servers that take nothing else.
///
/// It is made of the first 16 bytes of the id, with the bits of a random UUID (RFC 9562, version 4) where those have to
/// be. The same report has the same one at each attempt and on each machine. 122 bits of a SHA-256 are left, so two
/// reports with one UUID need not be feared.
struct ReportUUID: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    init(_ id: ContentHash) {
        var bytes = Array(id.bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        self.bytes = bytes
    }

    /// 32 lower-case hexadecimal digits.
    var hex: String { bytes.hexDigits }

    /// The digits in groups of 8, 4, 4, 4 and 12.
    var description: String {
        var rest = hex[...]
        let groups = [8, 4, 4, 4, 12].map { count in
            defer { rest = rest.dropFirst(count) }
            return String(rest.prefix(count))
        }
        return groups.joined(separator: "-")
    }
}
