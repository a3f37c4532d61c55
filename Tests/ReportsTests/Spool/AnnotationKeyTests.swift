import Background
import Testing

@testable import Reports

@Suite("What annotations say of the program")
struct AnnotationKeyTests {
    @Test(
        "the service and its version, by the keys of several worlds, in any case",
        arguments: [
            (["service": "shop", "service.name": "other"], "shop"), (["service.name": "shop"], "shop"),
            (["Service": "shop"], "shop"), (["SERVICE.NAME": "shop"], "shop"),
            (["service": "", "service.name": "shop"], "shop"), (["service": ""], nil), (["services": "shop"], nil),
            ([:], nil),
        ] as [([String: String], String?)])
    func service(annotations: [String: String], expected: String?) {
        #expect(AnnotationKey.service(of: annotations) == expected)
    }

    @Test(
        "and its version",
        arguments: [
            (["version": "1", "service.version": "2", "release": "3"], "1"),
            (["service.version": "2", "release": "3"], "2"), (["Release": "3"], "3"), (["version": ""], nil),
        ] as [([String: String], String?)])
    func version(annotations: [String: String], expected: String?) {
        #expect(AnnotationKey.version(of: annotations) == expected)
    }

    @Test("the ledger's row has the service in a column")
    func row() async throws {
        try await withSpool { harness in
            let id = try harness.add("one", annotations: ["Service.Name": "shop"])
            try await harness.takeIn()
            let report = try #require(
                try harness.spool.stored(StoredReport.name(of: id), in: harness.spool.queued))
            #expect(NewTransfer(report).service == "shop")
        }
    }
}
