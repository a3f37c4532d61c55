/// Bytes of a payload on a terminal, without what would steer it.
enum TerminalFilter {
    /// Leaves out control characters but line ends and tabs; of UTF-8 also the two-byte ones (U+0080 to U+009F).
    ///
    /// A piece that ends between those two bytes lets the first through, which shows as a replacement character.
    static func plain(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte == 0x0a || byte == 0x09 {
                result.append(byte)
            } else if (0x80...0x9f).contains(byte), result.last == 0xc2 {
                result.removeLast()
            } else if byte >= 0x20, byte != 0x7f {
                result.append(byte)
            }
        }
        return result
    }
}
