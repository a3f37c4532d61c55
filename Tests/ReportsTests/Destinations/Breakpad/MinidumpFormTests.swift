import Diagnosis
import DurableIO
import Testing

@testable import Reports

/// What a collector of minidumps is told about a dump.
@Suite("Forms of minidumps")
struct MinidumpFormTests {
    private static func fields(_ annotations: [String: String], crash: Crash? = nil) throws -> [(String, String)] {
        let report = try DestinationContractTests.report("MDMP", format: "minidump", annotations: annotations)
        var product = MinidumpForm.Product(annotations)
        if let crash { product.add(crash) }
        return MinidumpForm(report: report.stored, product: product).fields.map { ($0.name, $0.value) }
    }

    private static func field(_ name: String, _ annotations: [String: String], crash: Crash? = nil) throws -> String? {
        let fields = try fields(annotations, crash: crash)
        #expect(Set(fields.map(\.0)).count == fields.count, "no name twice")
        return fields.first { $0.0 == name }?.1
    }

    @Test("program and version stand there by the names of Breakpad and of Mozilla, the annotations by their own")
    func names() throws {
        let fields = try Self.fields(["service": "shop", "version": "2.1", "site": "berlin"])
        #expect(
            fields.map(\.0) == [
                "prod", "ProductName", "ver", "Version", "guid", "report_id", "report_kind", "report_collected_at",
                "sentry", "service", "site", "version",
            ])
        #expect(Array(fields.prefix(4).map(\.1)) == ["shop", "shop", "2.1", "2.1"])
        #expect(fields.contains { $0 == ("site", "berlin") })
        #expect(fields.contains { $0 == ("report_collected_at", RFC3339.string(milliseconds: 1_790_000_000_000)) })
    }

    @Test("an annotation that names the product counts before the service, and both before the dump")
    func product() throws {
        var crash = Crash(program: "shopd", cause: Crash.Cause(type: "SIGSEGV"))
        crash.version = "9"
        #expect(try Self.field("prod", ["product": "Shop", "service": "cart"], crash: crash) == "Shop")
        #expect(try Self.field("ProductName", ["ProductName": "Fox", "service": "cart"]) == "Fox")
        #expect(try Self.field("prod", ["service": "cart"], crash: crash) == "cart")
        #expect(try Self.field("prod", ["version": "1"], crash: crash) == "shopd")
        #expect(try Self.field("ver", ["version": "1"], crash: crash) == "1")
        #expect(try Self.field("Version", [:], crash: crash) == "9")
        #expect(try Self.field("prod", [:]) == nil)
        #expect(try Self.field("ver", [:]) == nil)
        #expect(!MinidumpForm.Product(["service": "cart"]).isKnown)
        #expect(MinidumpForm.Product(["service": "cart", "release": "cart@1"]).isKnown)
    }

    @Test(
        "an annotation never takes a name that collectors keep for themselves, or one of ours",
        arguments: [
            "uuid", "UUID", "dump_names", "processed_crash", "raw_crash", "upload_file_minidump", "guid", "sentry",
            "report_id", "prod", "ProductName", "ver", "Version", "report_kind", "report_collected_at",
            "report_occurred_at",
        ])
    func refused(name: String) throws {
        let fields = try Self.fields(["product": "shop", "version": "2", name: "evil"])
        #expect(Set(fields.map(\.0)).count == fields.count)
        for (field, value) in fields where field != "sentry" { #expect(value != "evil", "\(field)") }
    }

    @Test("the id as a UUID is that of the notes on Sentry's event ids")
    func uuid() throws {
        let id = try #require(
            ContentHash(hex: "ae05a4c05bfe7eab638e002a9600bedab3e7dd4b99419c6a4b017bc28aa770d6"))
        #expect(ReportUUID(id).hex == "ae05a4c05bfe4eaba38e002a9600beda")
        #expect("\(ReportUUID(id))" == "ae05a4c0-5bfe-4eab-a38e-002a9600beda")
        let report = try DestinationContractTests.report("MDMP", format: "minidump")
        #expect(try Self.field("guid", [:]) == "\(ReportUUID(report.stored.id))")
        #expect(try Self.field("report_id", [:]) == report.stored.id.hex)
    }

    @Test("Sentry's field has the id of the event, the release, the environment, and tags that Sentry keeps")
    func sentry() throws {
        let annotations = [
            "service": "shop", "version": "2.1", "environment": "lab", "site": "berlin",
            "long": String(repeating: "x", count: 201), "lines": "a\nb", "empty": "",
            String(repeating: "k", count: 33): "v",
        ]
        let text = try #require(try Self.field("sentry", annotations))
        let json = try JSONValue.parse(Array(text.utf8))
        let report = try DestinationContractTests.report("MDMP", format: "minidump")
        #expect(json["event_id"]?.stringValue == ReportUUID(report.stored.id).hex)
        #expect(json["release"]?.stringValue == "shop@2.1")
        #expect(json["environment"]?.stringValue == "lab")
        #expect(json["tags"]?.objectValue?.members.map(\.key) == ["service", "site", "version"])
        let given = try #require(try Self.field("sentry", ["release": "r1", "version": "2"]))
        #expect(try JSONValue.parse(Array(given.utf8))["release"]?.stringValue == "r1")
        let bare = try #require(try Self.field("sentry", ["version": "2"]))
        #expect(try JSONValue.parse(Array(bare.utf8))["release"]?.stringValue == "2")
    }

    @Test("the most annotations that a report can have make a form of bounded size")
    func bounded() throws {
        var annotations: [String: String] = [:]
        for index in 0..<Annotations.maximumCount {
            let key = "\(index)-" + String(repeating: "k", count: 20)
            annotations[key] = String(repeating: "\u{1}", count: index.isMultiple(of: 2) ? 200 : 1_024)
        }
        try Annotations.validate(annotations)
        let report = try DestinationContractTests.report("MDMP", format: "minidump", annotations: annotations)
        let form = MinidumpForm(report: report.stored, product: MinidumpForm.Product(annotations)).multipart
        #expect(form.beginning.count < 200 << 10)
    }
}
