import Glibc

/// The name of one entry of a directory: bytes, as the kernel has them, not text.
///
/// A value is never empty, `.` or `..`, and holds neither `/` nor NUL, so it cannot leave its directory.
package struct EntryName: Hashable, Sendable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes != [0x2e], bytes != [0x2e, 0x2e] else { return nil }
        guard !bytes.contains(0), !bytes.contains(UInt8(ascii: "/")) else { return nil }
        self.bytes = bytes
    }

    package init?(_ string: String) {
        self.init(bytes: Array(string.utf8))
    }

    package init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }

    /// A name of 128 random bits, between a prefix and a suffix, which are empty by default.
    package static func unique(prefix: String = "", suffix: String = "") -> EntryName {
        var generator = SystemRandomNumberGenerator()
        var name: [UInt8] = []
        for _ in 0..<2 {
            let number: UInt64 = generator.next()
            withUnsafeBytes(of: number) { name += $0.hexDigits.utf8 }
        }
        return EntryName(bytes: prefix.utf8 + name + suffix.utf8) ?? "unnamed"
    }

    /// The name as text, or `nil` when it is not UTF-8.
    package var string: String? { String(validating: bytes, as: UTF8.self) }

    /// For error texts: invalid UTF-8 is repaired; control characters stay and are for the printer to escape.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package var isHidden: Bool { bytes.first == UInt8(ascii: ".") }

    package func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

    package func hasSuffix(_ suffix: String) -> Bool {
        bytes.count >= suffix.utf8.count && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// All bytes at once: an array's own way takes one at a time, and looks hold names by the hundred thousand.
    package func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    package static func < (left: EntryName, right: EntryName) -> Bool {
        left.bytes.withUnsafeBytes { left in
            right.bytes.withUnsafeBytes { right in
                // A name has a byte at least, so that both have an address.
                guard let first = left.baseAddress, let second = right.baseAddress else { return false }
                let order = memcmp(first, second, min(left.count, right.count))
                return order != 0 ? order < 0 : left.count < right.count
            }
        }
    }

    package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBytes { buffer in
            // `bytes + [0]` is never empty, so the buffer has an address.
            body(buffer.baseAddress.map { $0.assumingMemoryBound(to: CChar.self) } ?? EntryName.emptyCString)
        }
    }

    private nonisolated(unsafe) static let emptyCString: UnsafePointer<CChar> = {
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return UnsafePointer(pointer)
    }()
}
