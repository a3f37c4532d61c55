/// A crash report in text of Swift's own backtracer.
enum SwiftTextFormat {
    /// What the report begins with: plain, and in colour.
    static let marks = ["*** ", "\u{1f4a3} "]

    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard self.marks.contains(where: head.hasPrefix) else { return nil }
        var lines = self.plainLines(of: head.bytes[...])
        guard let title = lines.next(), let reason = self.reason(in: title) else { return nil }
        let crash = SwiftTextCrash(lines)
        let name = head.name.swiftProcess?.description ?? crash.program
        return Recognition(
            format: "swift-backtrace-text", contentType: ContentType.text, kind: .crash,
            summary: (name.map { "\($0): " } ?? "") + reason.text + crash.place)
    }

    private static func reason(in title: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let title = title.droppingSuffix(" ***") ?? title
        for mark in self.marks {
            guard let sentence = title.dropping(mark) else { continue }
            if let reason = sentence.dropping("Program crashed: ") {
                return reason.lastRange(of: " at 0x").map { reason[..<$0.lowerBound] } ?? reason
            }
            if sentence.starts(with: "Swift runtime failure: ".utf8) { return sentence }
        }
        return nil
    }

    /// The lines, without the sequences that set colours: ESC, "[", parameters, one letter.
    static func plainLines(of bytes: ArraySlice<UInt8>) -> PayloadLines {
        guard bytes.contains(0x1b) else { return PayloadLines(bytes) }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var rest = bytes
        while let escape = rest.firstIndex(of: 0x1b) {
            plain.append(contentsOf: rest[..<escape])
            rest = rest[(escape + 1)...]
            guard rest.first == UInt8(ascii: "[") else { continue }
            rest = rest.dropFirst().drop { (0x20..<0x40).contains($0) }.dropFirst()
        }
        return PayloadLines((plain + rest)[...])
    }
}
