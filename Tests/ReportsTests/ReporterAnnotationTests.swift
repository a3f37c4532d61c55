import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// `Reporter.Configuration.annotations`.
@Suite("Annotations of a reporter")
struct ReporterAnnotationTests {
    private func reporter(_ directory: String, _ annotations: [String: ReportAnnotation]) throws -> Reporter {
        var configuration = Reporter.Configuration()
        configuration.annotations = annotations
        return try Reporter(spool: FilePath(directory + "/spool"), configuration: configuration)
    }

    @Test("each report that is collected gets them: texts, what is fixed, and facts")
    func collected() async throws {
        try await withTemporaryDirectory { directory in
            let version = "2.\(1)"
            let reporter = try reporter(
                directory,
                [
                    "service": "shop", "version": "\(version)", "site": .fixed("berlin"), "rack": .text("B7"),
                    "host": .fact(.host), "os": .fact(.os), "kernel": .fact(.kernel), "machine": .fact(.machineID),
                ])
            let own = ["service": "mine", "site": "x", "host": "y", "kernel": "z"]
            let file = directory + "/file"
            try Data("two".utf8).write(to: URL(fileURLWithPath: file))
            let ids = [
                try await reporter.collect(Array("one".utf8), annotations: own),
                try await reporter.collect(contentsOf: FilePath(file), annotations: own),
            ]
            try await reporter.submitPending()
            let spool = try #require(try ReportSpool.open(FilePath(directory + "/spool"), isCreating: false))
            let facts = MachineFacts()
            for id in ids {
                let annotations = try SpoolInspector(spool: spool).report(id).annotations
                #expect(annotations["service"] == "mine")
                #expect(annotations["version"] == "2.1")
                #expect(annotations["site"] == "berlin")
                #expect(annotations["rack"] == "B7")
                #expect(annotations["host"] == facts.host)
                #expect(annotations["os"] == facts.system)
                #expect(annotations["kernel"] == facts.kernel)
                #expect(annotations["machine"] == spool.value(of: .machineID))
            }
        }
    }

    @Test("bad ones are an error of the initializer, which names the bound")
    func bounds() throws {
        let kib = String(repeating: "x", count: 1_024)
        func many(_ count: Int, _ value: ReportAnnotation) -> [String: ReportAnnotation] {
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", value) })
        }
        let cases: [([String: ReportAnnotation], String)] = [
            (["a b": "x"], "is no annotation key"), (["host ": .fact(.host)], "is no annotation key"),
            (["a": .fixed(kib + "x")], "has 1025 bytes: at most 1024"), (["a": "x\ny"], "holds control characters"),
            (["a": "x", "A": .fact(.os)], "differ in case only"), (many(65, "v"), "65 annotations are too many"),
            (many(16, .text(kib)), "have more than 16 KiB together"), (many(16, .fact(.os)), "more than 16 KiB"),
        ]
        try withTemporaryDirectory { directory in
            for (annotations, expected) in cases {
                let error = #expect(throws: ReportsError.self) { try reporter(directory, annotations) }
                #expect(error?.code == .badArgument)
                #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
            }
            #expect(throws: Never.self) { try reporter(directory, many(64, "v")) }
        }
    }

    @Test("facts have the names that the tool's settings have")
    func facts() {
        #expect(ReportAnnotation.Fact.all.map(\.rawValue) == ["host", "os", "kernel", "machine_id"])
        #expect(ReportAnnotation.Fact(rawValue: "machine_id") == .machineID)
        #expect(ReportAnnotation.Fact(rawValue: "uptime") == nil)
    }
}
