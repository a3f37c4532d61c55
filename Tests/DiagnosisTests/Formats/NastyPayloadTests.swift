import Diagnosis
import Testing

@Suite("Hostile and broken payloads")
struct NastyPayloadTests {
    @Test("100,000 open brackets are text, not a stack overflow")
    func deepNesting() {
        let bytes = Array(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(recognize(bytes).format == "text")
        let objects = Array(String(repeating: "{\"a\":", count: 10_000).utf8)
        #expect(recognize(objects).format == "text")
    }

    @Test("Numbers that fit nowhere are still JSON")
    func hugeNumber() {
        let text = #"{"kind":"crashReport","backtraceTime":1e999,"faultAddress":18446744073709551616}"#
        let recognition = recognize(text)
        #expect(recognition.format == "json")
        #expect(recognition.kind == .diagnostic)
    }

    @Test("Of a repeated key the first value counts")
    func duplicateKeys() {
        #expect(recognize(#"{"timestamp":"x","kind":"crashReport","kind":"other"}"#).format == "swift-backtrace-json")
        #expect(recognize(#"{"timestamp":"x","kind":"other","kind":"crashReport"}"#).format == "json")
    }

    @Test("An ELF file that is no core dump is bytes")
    func elfWithoutCore() {
        let bytes = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0, 0x3e, 0]
        #expect(recognize(bytes).format == "binary")
    }

    @Test("A core dump of nothing but a header is one")
    func elfHeaderOnly() {
        let bytes = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [4, 0, 0x3e, 0]
        #expect(recognize(bytes).format == "elf-core")
        #expect(recognize(bytes).summary == "core dump")
    }

    @Test("A minidump may claim four billion streams")
    func minidumpWithManyStreams() {
        let header = Array("MDMP".utf8) + [0x93, 0xa7, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x20]
        let bytes = header + [UInt8](repeating: 0, count: 19)
        #expect(recognize(bytes).format == "minidump")
        #expect(recognize(bytes).summary == "minidump")
    }

    @Test("A journal field may claim to be longer than all memory")
    func journalFieldWithoutEnd() {
        let bytes = Array("__CURSOR=s=a\n__REALTIME_TIMESTAMP=1\nMESSAGE\n".utf8) + [UInt8](repeating: 0xff, count: 8)
        #expect(recognize(bytes).format == "journal-export")
        #expect(recognize(bytes).summary == "1 journal entry")
        #expect(recognize(bytes).kind == .log)
    }

    @Test("Damaged gzip is still gzip, and gzip in gzip stays closed")
    func gzip() {
        #expect(recognize([0x1f, 0x8b]).summary == "gzip, damaged")
        #expect(recognize([0x1f, 0x8b], content: [0x1f, 0x8b, 8]).summary == "gzip of gzip: gzip")
        #expect(recognize([0x1f, 0x8b], content: []).summary == "gzip of empty: empty file")
        #expect(recognize([0x1f, 0x8b], content: Array("a line\n".utf8)).kind == .log)
    }

    @Test("the words of a panic within a program's file are no panic; a log with lost bytes may hold one")
    func panicInBytes() {
        let panic = "thread 'main' panicked at src/main.rs:2:5:\noh\n"
        let program = Array("\0\n\(panic)".utf8)
        #expect(recognize([0x7f, 0xe8, 0x00, 0xff] + program).format == "binary")
        #expect(recognize(program).format == "rust-panic")
    }

    @Test("A character cut at the end is no reason to call text bytes", arguments: 1...3)
    func cutCharacter(byteCount: Int) {
        let bytes = Array("caf\u{e9} ".utf8) + Array("\u{1f4a3}".utf8).prefix(byteCount)
        #expect(recognize(bytes).format == "text")
        #expect(recognize(bytes + [0x20]).format == "binary")
    }

    @Test("Text that is not UTF-8 shows what it can, and is sent as bytes")
    func latin1() {
        let recognition = recognize(Array("abgest".utf8) + [0xfc] + Array("rzt\n".utf8))
        #expect(recognition.format == "binary")
        #expect(recognition.contentType == "application/octet-stream")
        #expect(recognition.summary == "not UTF-8: abgest\u{fffd}rzt")
    }

    @Test("Nothing but white space is blank text", arguments: ["\n", " \t\r\n", "\u{a0}"])
    func blank(text: String) {
        #expect(recognize(text).summary == "blank text")
    }

    @Test("what lies between the beginning and the end of a large payload is not looked at")
    func gap() {
        let middle = PayloadWindow.headByteCount + 10
        var bytes = Array(repeating: UInt8(ascii: "x"), count: middle + PayloadWindow.tailByteCount + 10)
        bytes[middle] = 0
        #expect(recognize(bytes).format == "text")
        bytes[bytes.count - 1] = 0
        #expect(recognize(bytes).format == "binary")
    }

    @Test("Names may be any bytes", arguments: [[0xff, 0xfe], [0x2d], Array("-1-0.0.json".utf8), [0]] as [[UInt8]])
    func names(name: [UInt8]) {
        let bytes = Array("*** Program crashed: Aborted at 0x00 ***\n".utf8)
        let window = PayloadWindow(whole: bytes, name: name)
        let diagnosis = Diagnosis.recognize(window) { _, _ in nil }
        #expect(diagnosis.summary == "Aborted")
    }
}
