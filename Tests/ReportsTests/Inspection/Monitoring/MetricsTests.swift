import Background
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Metrics")
struct MetricsTests {
    private func metrics(_ form: MetricFamily.Form, _ change: (inout SpoolFigures) -> Void = { _ in }) -> [String] {
        var figures = SpoolFigures(time: 1_764_000_000_007)
        change(&figures)
        return SpoolMetrics(figures, spool: "/s").text(as: form).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .map(String.init)
    }

    private static func addDelivery(_ figures: inout SpoolFigures) {
        figures.events = [
            .init(event: .delivered, destination: "main", limit: nil, sum: .init(count: 3, byteCount: 70))
        ]
    }

    @Test("OpenMetrics names a counter without _total, tells units and ends with its mark")
    func openMetrics() throws {
        let lines = metrics(.openMetrics, Self.addDelivery)
        #expect(lines.contains("# TYPE reports_delivered counter"))
        #expect(lines.contains("# HELP reports_delivered Reports delivered since the ledger was made."))
        #expect(lines.contains(#"reports_delivered_total{spool="/s",destination="main"} 3"#))
        #expect(lines.contains("# UNIT reports_delivered_bytes bytes"))
        #expect(lines.contains("# TYPE reports_build_info gauge"))
        #expect(lines.suffix(2) == ["# EOF", ""])
    }

    @Test("the format of Prometheus names it as its sample, and has neither units nor a mark")
    func prometheus() {
        let lines = metrics(.prometheus, Self.addDelivery)
        #expect(lines.contains("# TYPE reports_delivered_total counter"))
        #expect(lines.contains("# HELP reports_delivered_total Reports delivered since the ledger was made."))
        #expect(lines.contains(#"reports_delivered_total{spool="/s",destination="main"} 3"#))
        #expect(lines.contains("# TYPE reports_build_info gauge"))
        #expect(!lines.contains { $0.hasPrefix("# UNIT") || $0 == "# EOF" })
    }

    @Test("a moment has its milliseconds, and none has no sample")
    func moments() {
        let lines = metrics(.openMetrics)
        #expect(lines.contains(#"reports_metrics_timestamp_seconds{spool="/s"} 1764000000.007"#))
        #expect(!lines.contains { $0.contains("oldest_undelivered") })
    }

    @Test("a label is escaped")
    func escaping() {
        let lines = metrics(.openMetrics) { $0.gates = [.init(origin: "a\"b\\c\nd")] }
        #expect(lines.contains(#"reports_gate_open{spool="/s",origin="a\"b\\c\nd"} 1"#))
    }

    @Test(
        "every family has a type and a help, its samples follow it, and no sample occurs twice",
        arguments: MetricFamily.Form.allCases)
    func form(form: MetricFamily.Form) async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(401) }
            try harness.add("one")
            try await harness.submit()
            try await harness.make(.evicted, text: "two", reason: .countLimit)
            let figures = try SpoolInspector(spool: harness.spool).figures(evictedWithin: nil)
            let lines = SpoolMetrics(figures, spool: "/s").text(as: form).split(separator: "\n").map(String.init)
            var family = ""
            var seen: Set<String> = []
            for line in lines where line != "# EOF" {
                let words = line.split(separator: " ")
                if line.hasPrefix("# TYPE ") {
                    family = String(words[2])
                    #expect(seen.insert(family).inserted)
                } else if line.hasPrefix("# ") {
                    #expect(words[2] == family)
                } else {
                    #expect(line.hasPrefix(family))
                    #expect(seen.insert(String(line.prefix { $0 != "}" })).inserted, "\(line)")
                }
            }
            #expect(seen.count > 40)
        }
    }

    // MARK: - The file

    @Test("a file of metrics is replaced whole, for everybody to read")
    func replacing() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/reports.prom"
            for text in ["old", "new"] {
                try MetricsFile.replace(FilePath(path), with: text)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o644)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["reports.prom"])
        }
    }

    @Test(
        "where any step of it fails, the old file stays whole and nothing lies beside it",
        arguments: [FaultingFileSystem.Call.Operation.create, .write, .setPermissions, .sync, .rename])
    func failing(step: FaultingFileSystem.Call.Operation) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/reports.prom"
            try MetricsFile.replace(FilePath(path), with: "old")
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == step { throw FileSystemError(.write, path, .noSpace) }
            }
            let error = #expect(throws: ReportsError.self) {
                try MetricsFile.replace(FilePath(path), with: "new", files: files)
            }
            #expect(error?.code == .cannotWrite)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["reports.prom"])
        }
    }

    @Test("what is no file is not replaced")
    func noFile() throws {
        try withTemporaryDirectory { directory in
            symlink("/dev/null", directory + "/link")
            for path in [directory + "/link", directory, directory + "/missing/reports.prom", "/"] {
                let error = #expect(throws: ReportsError.self) {
                    try MetricsFile.replace(FilePath(path), with: "new")
                }
                #expect(error?.code == .cannotWrite, "\(path)")
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names == ["link"])
        }
    }
}
