import Diagnosis
import Foundation
import TestSupport
import Testing

@Suite("A sample of each format of text")
struct FormatSampleTests {
    @Test("the samples are there")
    func samplesAreThere() {
        #expect(FormatSample.all.count == 69)
    }

    @Test("the article on formats names each")
    func article() throws {
        let path = "../../../Sources/Reports/Documentation.docc/Formats.md"
        let article = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: path),
            encoding: .utf8)
        let names = FormatSample.all.map(\.format) + CorpusFile.all.map(\.format)
        for name in names where !["empty", "gzip", "text"].contains(name) {
            let name = name.replacing(" (damaged)", with: "")
            #expect(article.contains("`\(name)`"), "\(name)")
        }
    }

    @Test("the list of formats names those of the article, and each that is told")
    func names() throws {
        let path = "../../../Sources/Reports/Documentation.docc/Formats.md"
        let article = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: path),
            encoding: .utf8)
        let section = try #require(article.components(separatedBy: "\n## The formats\n").last)
        let table = section.components(separatedBy: "\n## ")[0]
        let parts = table.split(separator: "`").enumerated()
        let documented = Set(parts.filter { $0.offset % 2 == 1 }.map { String($0.element) })
        let plain: Set = ["empty", "text", "json", "binary", "gzip"]
        #expect(Set(Diagnosis.formatNames) == documented.union(plain))
        #expect(Set(Diagnosis.formatNames).count == Diagnosis.formatNames.count)
        for name in FormatSample.all.map(\.format) + CorpusFile.all.map(\.format) {
            #expect(Diagnosis.formatNames.contains(name.replacing(" (damaged)", with: "")), "\(name)")
        }
    }

    @Test("each is told, alone and behind log lines", arguments: FormatSample.all)
    func eachIsTold(sample: FormatSample) {
        #expect(recognize(sample.bytes).format == sample.format)
        // Documents and dumps that are files of their own begin with their first line.
        let log = Array("2026-11-28 08:00:00,114 INFO  importer: 3 feeds configured\n".utf8)
        guard recognize(sample.bytes).contentType.hasPrefix("text/") else { return }
        #expect(recognize(log + sample.bytes).format == sample.format)
    }

    @Test("each tells the same behind the prefix of syslog, and who wrote it", arguments: FormatSample.all)
    func syslog(sample: FormatSample) {
        let alone = recognize(sample.bytes)
        // These are told by who says it: systemd, the kernel.
        let isOfSystem = ["systemd-exit", "kernel-segfault"].contains(sample.format)
        guard alone.kind == .crash, alone.contentType.hasPrefix("text/"), !isOfSystem else { return }
        let prefix = Array("Nov 28 08:21:40 edge-3 tilld[3144]: ".utf8)
        let lines = sample.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let log = lines.dropLast().flatMap { prefix + $0 + [UInt8(ascii: "\n")] }
        let logged = recognize(log)
        #expect(logged.format == sample.format)
        #expect(logged.kind == .crash)
        #expect(logged.crash?.cause.type == alone.crash?.cause.type)
        #expect(logged.crash?.crashedThread?.frames.count == alone.crash?.crashedThread?.frames.count)
    }
}
