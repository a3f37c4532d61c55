/// How text is encoded, as far as its window tells.
enum TextEncoding {
    /// The text behind a byte order mark, in UTF-8, and the MIME type of the payload.
    ///
    /// `nil` without a mark, and for bytes that only look like one: UTF-16 with half pairs or NUL characters is no
    /// text.
    static func decodingByteOrderMark(of window: PayloadWindow) -> (window: PayloadWindow, contentType: String)? {
        let bytes = window.head
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            let rest = Array(bytes.dropFirst(3))
            let text = window.replacing(head: rest, tail: Array(window.tail), byteCount: window.byteCount - 3)
            return (text, ContentType.text)
        }
        let isLittleEndian = bytes.starts(with: [0xff, 0xfe])
        guard isLittleEndian || bytes.starts(with: [0xfe, 0xff]),
            let head = self.decodingUTF16(bytes.dropFirst(2), isLittleEndian: isLittleEndian)
        else { return nil }
        // The tail begins at a unit, since the payload is made of units; half of a pair is left out.
        let isEven = window.byteCount.isMultiple(of: 2)
        let tail = isEven ? self.decodingUTF16(window.tail, isLittleEndian: isLittleEndian, isCut: true) ?? [] : []
        let isWhole = window.isWhole && (window.tail.isEmpty || !tail.isEmpty)
        let text = window.replacing(
            head: head, tail: tail, byteCount: head.count + tail.count + (isWhole ? 0 : 1))
        return (text, "text/plain; charset=utf-16")
    }

    private static func decodingUTF16(
        _ bytes: ArraySlice<UInt8>, isLittleEndian: Bool, isCut: Bool = false
    ) -> [UInt8]? {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2) {
            let pair = isLittleEndian ? (bytes[index + 1], bytes[index]) : (bytes[index], bytes[index + 1])
            units.append(UInt16(pair.0) << 8 | UInt16(pair.1))
        }
        if let last = units.last, UTF16.isLeadSurrogate(last) { units.removeLast() }
        if isCut, let first = units.first, UTF16.isTrailSurrogate(first) { units.removeFirst() }
        guard !units.contains(0), let text = String(validating: units, as: UTF16.self) else { return nil }
        return Array(text.utf8)
    }

    /// Whether all bytes of the window are UTF-8, but for the characters that the window's edges cut.
    ///
    /// The cut is forgiven at the end of a whole payload too: a log that a full disk or a copy cut is still a log.
    static func isUTF8(_ window: PayloadWindow) -> Bool {
        let hasGap = window.gapByteCount > 0
        guard hasGap || window.tail.isEmpty else {
            return self.isUTF8((window.head + window.tail)[...])
        }
        return self.isUTF8(window.head) && self.isUTF8(window.tail.dropFirst(self.byteCountOfRest(of: window.tail)))
    }

    private static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        let whole = bytes.dropLast(self.byteCountOfCutCharacter(at: bytes.suffix(3)))
        // Nearly all text is ASCII, and for that the general way costs more than all else together.
        return whole.withView(\.isASCII) || String(validating: whole, as: UTF8.self) != nil
    }

    /// How many bytes at the beginning are the rest of a character that was cut: at most three.
    private static func byteCountOfRest(of bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(3).prefix { $0 & 0xc0 == 0x80 }.count
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
