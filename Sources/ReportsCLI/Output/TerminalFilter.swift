import DurableIO

/// A payload on a terminal, piece by piece, without what would steer it.
///
/// Characters that steer terminals are left out, but for line ends and tabs. Bytes that are no UTF-8 become replacement
/// characters: a terminal of another encoding might obey them.
struct TerminalFilter {
    /// The first bytes of a character whose others are in the next piece.
    private var kept: [UInt8] = []

    mutating func plain(_ piece: UnsafeRawBufferPointer) -> [UInt8] {
        let bytes = kept + piece
        let end = bytes.count - Self.openByteCount(bytes)
        kept = Array(bytes[end...])
        return Self.plain(bytes[..<end])
    }

    /// What is left when the last piece has come.
    var rest: [UInt8] { Self.plain(kept[...]) }

    private static func plain(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        return Array(String(text.filter { !$0.steersTerminals || $0 == "\n" || $0 == "\t" }).utf8)
    }

    /// How many bytes at the end begin a character and are not all of it.
    private static func openByteCount(_ bytes: [UInt8]) -> Int {
        // Where the last byte that begins one is the fourth from the end or before it, all of them are there.
        guard let index = bytes.suffix(3).lastIndex(where: { $0 & 0xc0 != 0x80 }) else { return 0 }
        let length = bytes[index] < 0xc0 ? 1 : bytes[index] < 0xe0 ? 2 : bytes[index] < 0xf0 ? 3 : 4
        return bytes.count - index < length ? bytes.count - index : 0
    }
}
