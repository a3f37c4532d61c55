import Testing

@testable import Diagnosis

@Suite("Looking at bytes without owning them")
struct ByteViewTests {
    /// Lengths around those that are looked at eight bytes at a time.
    private static let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31]

    @Test("the first of equal bytes is found, wherever it stands", arguments: lengths)
    func firstIndex(length: Int) {
        for position in 0..<length {
            var bytes = [UInt8](repeating: 0x41, count: length)
            bytes[position...] = [UInt8](repeating: 0x42, count: length - position)[...]
            #expect(bytes[...].withView { $0.firstIndex(of: 0x42) } == position)
            #expect(bytes[...].withView { $0.firstIndex(of: 0x43) } == nil)
        }
    }

    @Test("a byte that differs by one or by its highest bit is another one", arguments: [0x00, 0x01, 0x7f, 0x80, 0xff])
    func neighbours(byte: UInt8) {
        for other in UInt8.min...UInt8.max where other != byte {
            let bytes = [UInt8](repeating: other, count: 11)
            #expect(bytes[...].withView { !$0.contains(byte) })
            #expect((bytes + [byte])[...].withView { $0.firstIndex(of: byte) } == 11)
        }
    }

    @Test("one byte that is not ASCII is seen, wherever it stands", arguments: lengths)
    func ascii(length: Int) {
        let bytes = [UInt8](repeating: 0x7f, count: length)
        #expect(bytes[...].withView(\.isASCII))
        for position in 0..<length {
            var other = bytes
            other[position] = 0x80
            #expect(!other[...].withView(\.isASCII))
        }
    }

    @Test("the indices are those of the slice, and bytes outside of it are not seen")
    func indices() {
        let bytes = Array("one, two; three".utf8)
        let slice = bytes[5..<8]
        #expect(slice.withView { $0.indices } == 5..<8)
        #expect(slice.withView { $0.elementsEqual("two".utf8) })
        #expect(slice.withView { $0.firstIndex(of: UInt8(ascii: "w")) } == 6)
        #expect(slice.withView { !$0.contains(UInt8(ascii: ";")) && !$0.contains(UInt8(ascii: ",")) })
        #expect(slice.withView { $0.dropFirst().indices } == 6..<8)
        #expect(bytes[8..<8].withView { $0.isEmpty && $0.startIndex == 8 })
    }

    @Test("lines are without their ends, and the last one needs none")
    func lines() {
        let text = Array("one\r\n\ntwo\rthree\n\r\nfour".utf8)
        let lines = TextLines(text[...]).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines == ["one", "", "two\rthree", "", "four"])
        #expect(Array(TextLines(Array("one\n".utf8)[...])).count == 1)
        #expect(Array(TextLines([])).isEmpty)
    }

    @Test("a text at the beginning is recognised, and one that is longer than the bytes is not")
    func beginnings() {
        let bytes = Array("xpanic: no".utf8)[1...]
        #expect(bytes.starts(with: "panic: ".utf8))
        #expect(bytes.starts(with: "".utf8))
        #expect(!bytes.starts(with: "panic: no!".utf8))
        #expect(!bytes.starts(with: "Panic".utf8))
    }
}
