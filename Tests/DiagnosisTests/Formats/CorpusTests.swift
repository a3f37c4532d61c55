import Diagnosis
import TestSupport
import Testing

@Suite("Real payloads")
struct CorpusTests {
    @Test("The corpus is there")
    func corpusIsThere() {
        #expect(CorpusFile.all.count == 25)
    }

    @Test("Each has its format, type and summary", arguments: CorpusFile.all)
    func eachHasItsRow(row: CorpusFile) throws {
        let recognition = recognize(row.bytes, name: row.name, content: CorpusFile.contentOfGzipFile)
        #expect(recognition.format == row.format)
        #expect(recognition.contentType == row.contentType)
        #expect(recognition.summary == row.summary)
    }

    @Test("All are crashes but a trace, a memory checker's protocol and nothing", arguments: CorpusFile.all)
    func eachHasItsKind(row: CorpusFile) throws {
        let exceptions: [String: Diagnosis.Kind] = [
            "strace-shopd.log": .log, "vg.3107.xml": .diagnostic, "empty.json": .other,
        ]
        let recognition = recognize(row.bytes, name: row.name, content: CorpusFile.contentOfGzipFile)
        #expect(recognition.kind == exceptions[row.name] ?? .crash)
    }

    @Test("A file's name only adds to what its content tells", arguments: CorpusFile.all)
    func nameOnlyAdds(row: CorpusFile) throws {
        let recognition = recognize(row.bytes, content: CorpusFile.contentOfGzipFile)
        #expect(recognition.format == row.format)
        #expect(recognition.contentType == row.contentType)
    }

    @Test("A report that goes on behind the window is not damaged")
    func windowIsNotDamage() throws {
        var bytes = try CorpusFile.bytes(of: "shopd-32049-0.0.json")
        let frames = bytes.count..<PayloadWindow.headByteCount + PayloadWindow.tailByteCount + 1
        bytes += frames.map { _ in UInt8(ascii: " ") }
        let large = recognize(bytes, name: "shopd-32049-0.0.json")
        #expect(large.format == "swift-backtrace-json")
        #expect(large.contentType == "application/json")
        #expect(large.summary == "shopd[32049]: Bad pointer dereference in recurse(_:) + 50 at main.swift:17")
    }
}
