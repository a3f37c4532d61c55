import Diagnosis
import Testing

@Suite("Byte order marks")
struct EncodingTests {
    private let crash = #"{ "timestamp": "2026-11-22T10:43:23Z", "kind": "crashReport", "description": "Aborted" }"#

    private func utf16(_ text: String, isLittleEndian: Bool) -> [UInt8] {
        "\u{feff}\(text)".utf16.flatMap { unit in
            let bytes = [UInt8(unit >> 8), UInt8(unit & 0xff)]
            return isLittleEndian ? bytes.reversed() : bytes
        }
    }

    @Test("Behind a UTF-8 mark all formats are looked for, but it is not JSON for every reader")
    func utf8Mark() {
        let recognition = recognize("\u{feff}\(self.crash)")
        #expect(recognition.format == "swift-backtrace-json")
        #expect(recognition.contentType == "text/plain; charset=utf-8")
        #expect(recognition.summary == "Aborted")
    }

    @Test("UTF-16 is decoded in both byte orders", arguments: [true, false])
    func utf16Mark(isLittleEndian: Bool) {
        let crash = recognize(self.utf16(self.crash, isLittleEndian: isLittleEndian))
        #expect(crash.format == "swift-backtrace-json")
        #expect(crash.contentType == "text/plain; charset=utf-16")
        let text = recognize(self.utf16("\u{dc}berlauf \u{1f4a3}\n", isLittleEndian: isLittleEndian))
        #expect(text.format == "text")
        #expect(text.summary == "\u{dc}berlauf \u{1f4a3}")
    }

    @Test("What cannot be UTF-16 is bytes, mark or not")
    func noUTF16() {
        #expect(recognize([0xff, 0xfe, 0x00, 0xdc, 0x41, 0x00]).format == "binary")
        #expect(recognize([0xff, 0xfe, 0x00, 0x00, 0x41, 0x00, 0x00, 0x00]).format == "binary")
        #expect(recognize(Array(self.utf16("Fatal error", isLittleEndian: false).dropFirst(2))).format == "binary")
    }

    @Test("A pair cut at the end does not matter")
    func cutPair() {
        let bytes = self.utf16("line \u{1f4a3}", isLittleEndian: true)
        #expect(recognize(Array(bytes.dropLast())).summary == "line")
        #expect(recognize(Array(bytes.dropLast(2))).summary == "line")
    }
}
