import Reports
import Testing

@Suite("Real payloads")
struct CorpusTests {
    @Test("The corpus is there")
    func corpusIsThere() {
        #expect(CorpusForTests.rows.count == 25)
    }

    @Test("Each has its format, type and summary", arguments: CorpusForTests.rows)
    func eachHasItsRow(row: CorpusForTests.Row) throws {
        let recognition = recognize(try row.bytes, name: row.file, content: CorpusForTests.contentOfGzipFile)
        #expect(recognition.format == row.format)
        #expect(recognition.contentType == row.contentType)
        #expect(recognition.summary == row.summary)
    }

    @Test("All are crashes but a trace, a memory checker's protocol and nothing", arguments: CorpusForTests.rows)
    func eachHasItsKind(row: CorpusForTests.Row) throws {
        let exceptions: [String: ReportKind] = [
            "strace-shopd.log": .log, "vg.3107.xml": .diagnostic, "empty.json": .other,
        ]
        let recognition = recognize(try row.bytes, name: row.file, content: CorpusForTests.contentOfGzipFile)
        #expect(recognition.kind == exceptions[row.file] ?? .crash)
    }

    @Test("A file's name only adds to what its content tells", arguments: CorpusForTests.rows)
    func nameOnlyAdds(row: CorpusForTests.Row) throws {
        let recognition = recognize(try row.bytes, content: CorpusForTests.contentOfGzipFile)
        #expect(recognition.format == row.format)
        #expect(recognition.contentType == row.contentType)
    }

    @Test("A report that goes on behind the window is not damaged")
    func windowIsNotDamage() throws {
        var bytes = try CorpusForTests.bytes(of: "shopd-32049-0.0.json")
        let frames = bytes.count..<PayloadSniffer.windowByteCount + 1
        bytes += frames.map { _ in UInt8(ascii: " ") }
        let large = recognize(bytes, name: "shopd-32049-0.0.json")
        #expect(large.format == "swift-backtrace-json")
        #expect(large.contentType == "application/json")
        #expect(large.summary == "shopd[32049]: Bad pointer dereference in recurse(_:) + 50 at main.swift:17")
    }
}
