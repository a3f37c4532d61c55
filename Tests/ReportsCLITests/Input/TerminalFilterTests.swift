import Testing

@testable import ReportsCLI

@Suite("A payload on a terminal")
struct TerminalFilterTests {
    private static func filtered(_ pieces: [ArraySlice<UInt8>]) -> String {
        var filter = TerminalFilter()
        var bytes: [UInt8] = []
        for piece in pieces { bytes += Array(piece).withUnsafeBytes { filter.plain($0) } }
        return String(decoding: bytes + filter.rest, as: UTF8.self)
    }

    @Test("lines, tabs and characters of every script stay; what steers a terminal is left out")
    func steering() {
        let text = "one\ttwo\nthree é漢😀 \u{1b}[31mred\u{7}\r\u{8}\u{9b}2J\u{85}\u{2028}\u{202e}evil\u{2066}\u{7f}\0."
        #expect(Self.filtered([Array(text.utf8)[...]]) == "one\ttwo\nthree é漢😀 [31mred2Jevil.")
    }

    @Test("bytes that are no UTF-8 reach no terminal")
    func invalid() {
        #expect(Self.filtered([[0x61, 0x9b, 0x33, 0x31, 0x6d, 0xff, 0x62]]) == "a\u{fffd}31m\u{fffd}b")
        #expect(Self.filtered([[0x61, 0xe2, 0x80]]) == "a\u{fffd}")
    }

    @Test("where the pieces begin makes no difference")
    func pieces() {
        let bytes = Array("aé\u{9b}漢\u{202e}😀\u{1b}b".utf8) + [0xf0, 0x9f, 0xc3, 0x28, 0x80, 0x80, 0x80, 0x80, 0xe2]
        let whole = Self.filtered([bytes[...]])
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(Self.filtered([bytes[..<first], bytes[first..<second], bytes[second...]]) == whole)
            }
        }
        #expect(Self.filtered(bytes.indices.map { bytes[$0...$0] }) == whole)
    }
}
