import DurableIO
import TestSupport
import Testing

@Suite("Digits, percent signs and what may be printed")
struct TextTests {
    @Test("each byte is two lower-case digits, and each digit stands for its value in either case")
    func hexadecimal() {
        #expect([UInt8]([0, 9, 10, 0x7f, 0xa5, 255]).hexDigits == "00090a7fa5ff")
        #expect([UInt8]().hexDigits == "")
        for byte in UInt8.min...UInt8.max {
            #expect([byte].hexDigits == (byte < 16 ? "0" : "") + String(byte, radix: 16))
            let character = Character(Unicode.Scalar(byte))
            let value = character.isASCII ? character.hexDigitValue : nil
            #expect(byte.hexDigitValue.map(Int.init) == value)
            #expect(byte.isLowerHexDigit == (value != nil && !character.isUppercase))
            #expect(byte.isASCIIDigit == (character.isASCII && character.isNumber))
            #expect(byte.isASCIILetter == (character.isASCII && character.isLetter))
        }
    }

    @Test("a percent-encoded text has unreserved characters only, and is read as it was")
    func percentEncoding() {
        let text = "aZ09-._~ /?#[]@!$&'()*+,;=%\"é😀\n\u{7f}"
        let encoded = PercentEncoding.encode(text)
        #expect(
            encoded
                == "aZ09-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%22%C3%A9%F0%9F%98%80%0A%7F")
        #expect(PercentEncoding.decode(encoded[...]) == text)
        #expect(PercentEncoding.decode("a%c3%A9") == "aé")
        #expect(PercentEncoding.encode("a/b") { $0 != UInt8(ascii: "b") } == "a/%62")
    }

    @Test(
        "a percent sign without two digits is refused, and so are bytes that are no text",
        arguments: [
            "%", "a%4", "%4g", "%g4", "%+f", "% f", "%ff", "%c3", "%é",
        ])
    func notPercentEncoded(text: String) {
        #expect(PercentEncoding.decode(text[...]) == nil)
    }

    /// The characters that terminals obey: C0 and C1 controls, DEL, separators, and the bidirectional controls.
    static let steering: [ClosedRange<UInt32>] = [
        0...0x1f, 0x7f...0x9f, 0x61c...0x61c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069,
    ]

    @Test("no form of printing lets a character through that steers a terminal")
    func steersTerminals() {
        for value in UInt32(0)...0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isSteering = Self.steering.contains { $0.contains(value) }
            #expect(scalar.steersTerminals == isSteering)
            if isSteering {
                #expect(!scalar.isVisible)
                #expect(Printable.text("a\(scalar)b") == "a\u{fffd}b")
                #expect(QuotedText("a\(scalar)b", limit: 3).description == "a\u{fffd}b")
            } else {
                #expect(Printable.text("a\(scalar)b") == "a\(scalar)b")
            }
        }
        #expect("aé漢😀 ".unicodeScalars.allSatisfy { $0.isVisible })
        // Zero-width, a tag, a private one and one that no version of Unicode has.
        #expect("\u{200b}\u{200d}\u{feff}\u{e0041}\u{e000}\u{3ffff}".unicodeScalars.allSatisfy { !$0.isVisible })
        #expect(Printable.text([0x61, 0xff, 0x1b, 0x62]) == "a\u{fffd}\u{fffd}b")
    }
}
