import Testing

@testable import Reports

/// What goes out of a payload, and whether that is all of it.
@Suite("Payloads in log records")
struct OTLPPayloadPartTests {
    private static func part(_ bytes: [UInt8], of byteCount: Int? = nil) -> OTLPPayloadPart {
        OTLPPayloadPart(text: bytes, of: UInt64(byteCount ?? bytes.count))
    }

    private static func attributes(_ part: OTLPPayloadPart) -> [String: OTLPAttributes.Value] {
        var attributes = OTLPAttributes()
        part.add(to: &attributes)
        return Dictionary(uniqueKeysWithValues: attributes.items.map { ($0.key, $0.value) })
    }

    @Test(
        "text in UTF-8 goes out byte for byte",
        arguments: ["", "plain", "größe 🦀", "\u{feff}mark", "a\r\nb\rc\n", "nul\u{0}\u{1b}[31m", "e\u{301}"])
    func whole(text: String) {
        let part = Self.part(Array(text.utf8))
        #expect(part.text.map { Array($0.utf8) } == Array(text.utf8))
        #expect(part.isWhole)
        #expect(Self.attributes(part).count == 1)
        #expect(Self.attributes(part)["report.payload"] == .text(text))
    }

    @Test("text in UTF-16 is decoded without a loss, and the record says that its bytes were others")
    func utf16() {
        let units = Array("größe 🦀".utf16)
        let little: [UInt8] = [0xff, 0xfe] + units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let big: [UInt8] = [0xfe, 0xff] + units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        for bytes in [little, big] {
            let part = Self.part(bytes)
            #expect(part.text == "größe 🦀")
            #expect(part.isWhole)
            #expect(Self.attributes(part)["report.payload.encoding"] == .text("utf-16"))
        }
        // Half of a pair, and half of a unit.
        for bytes in [little.dropLast(2), little.dropLast(1)] {
            let part = Self.part(Array(bytes))
            #expect(!part.isWhole && part.isRepaired)
        }
    }

    @Test("of UTF-16 the half of a pair is left out where it was cut, and replaced where the text itself has it")
    func halfPairs() {
        let count = OTLPPayload.maximumByteCount
        let letters = Array(repeating: [0x41, 0] as [UInt8], count: count / 2 - 2).joined()
        let head = [0xff, 0xfe] + letters + [0x3e, 0xd8]
        let cut = Self.part(head, of: count + 2)
        #expect(cut.isTruncated && !cut.isRepaired && cut.text?.utf8.count == count / 2 - 2)
        let whole = Self.part(head)
        #expect(whole.isRepaired && !whole.isWhole)
        let short = Self.part([0xff, 0xfe, 0x41, 0, 0x3e, 0xd8], of: 8)
        #expect(short.text == "A" && short.isTruncated && !short.isRepaired)
    }

    @Test(
        "bytes that are no UTF-8 are replaced, and the record says so",
        arguments: [[0xe9], [0xc3], [0xff, 0xfe, 0x41]])
    func repaired(bytes: [UInt8]) {
        let part = Self.part(Array("caf".utf8) + bytes)
        #expect(part.text?.hasPrefix("caf\u{fffd}") == true)
        #expect(!part.isWhole)
        #expect(Self.attributes(part)["report.payload.repaired"] == .truth(true))
    }

    @Test("a beginning has no half character, and says that it is one")
    func truncated() {
        let bytes = Array("aé🦀".utf8)
        for (count, text) in [(2, "a"), (3, "aé"), (4, "aé"), (5, "aé"), (6, "aé"), (7, "aé🦀")] {
            let part = Self.part(Array(bytes.prefix(count)), of: 100)
            #expect(part.text == text)
            #expect(part.isTruncated && !part.isRepaired && !part.isWhole)
            #expect(Self.attributes(part)["report.payload.truncated"] == .truth(true))
        }
        let none = OTLPPayloadPart()
        #expect(!none.isWhole && Self.attributes(none).isEmpty)
    }

    @Test("a text is cut before a character that does not fit", arguments: 0...9)
    func beginning(count: Int) {
        let text = "aé🦀b"
        let beginning = OTLPPayloadPart.beginning(of: text, byteCount: count)
        #expect(text.hasPrefix(beginning))
        #expect(beginning.utf8.count <= count && beginning.utf8.count >= min(count, text.utf8.count) - 3)
    }
}
