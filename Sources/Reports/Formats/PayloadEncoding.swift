/// How text is encoded, as far as its first bytes tell.
enum PayloadEncoding {
    /// The text behind a byte order mark, in UTF-8, and the MIME type of the payload.
    ///
    /// `nil` without a mark, and for bytes that only look like one: UTF-16 with half pairs or NUL characters is no
    /// text.
    static func decodingByteOrderMark(of head: PayloadHead) -> (head: PayloadHead, contentType: String)? {
        let bytes = head.bytes
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            return (head.replacing(bytes: Array(bytes.dropFirst(3)), isWhole: head.isWhole), ContentType.text)
        }
        let isLittleEndian = bytes.starts(with: [0xff, 0xfe])
        guard isLittleEndian || bytes.starts(with: [0xfe, 0xff]) else { return nil }
        var units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
            let pair = isLittleEndian ? (bytes[index + 1], bytes[index]) : (bytes[index], bytes[index + 1])
            return UInt16(pair.0) << 8 | UInt16(pair.1)
        }
        if let last = units.last, UTF16.isLeadSurrogate(last) { units.removeLast() }
        guard !units.contains(0), let text = String(validating: units, as: UTF16.self) else { return nil }
        return (head.replacing(bytes: Array(text.utf8), isWhole: head.isWhole), "text/plain; charset=utf-16")
    }

    /// Whether these bytes are UTF-8, but for a character that the end of the input cuts.
    ///
    /// The cut is forgiven at the end of a whole payload too: a log that a full disk or a copy cut is still a log.
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes.dropLast(self.byteCountOfCutCharacter(at: bytes.suffix(3))), as: UTF8.self) != nil
    }

    private static func byteCountOfCutCharacter(at tail: ArraySlice<UInt8>) -> Int {
        guard let lead = tail.lastIndex(where: { $0 & 0xc0 != 0x80 }) else { return 0 }
        let present = tail.endIndex - lead
        let expected =
            switch tail[lead] {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 1
            }
        return present < expected ? present : 0
    }
}
