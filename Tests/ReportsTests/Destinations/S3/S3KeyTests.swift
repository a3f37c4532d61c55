import TestSupport
import Testing

@testable import Reports

/// The keys of objects: no value of a report changes where its object lies.
@Suite("Keys of objects")
struct S3KeyTests {
    private static let id = String(repeating: "0", count: 64)

    private static func key(
        _ template: String, who: String = "", host: String = "box", encoding: ReportEncoding = .file
    ) throws -> String {
        var properties = MarkValues.example(host: host).properties
        properties.annotations = ["who": who]
        // 2026-11-22T05:13:03Z.
        properties.collectedAt = 1_795_324_383_000
        return try S3KeyTemplate(template[...], encoding: encoding).key(
            MarkValues(id: id, properties: properties, host: host))
    }

    @Test(
        "a template without {id} is a prefix",
        arguments: [
            ("", "crash/2026/11/22/ID.gz"), ("shop", "shop/crash/2026/11/22/ID.gz"),
            ("shop/", "shop/crash/2026/11/22/ID.gz"), ("shop/{host}", "shop/box/crash/2026/11/22/ID.gz"),
            ("{id}", "ID"), ("{format}/{HH}/{id}.bin", "text/05/ID.bin"), ("a%20b/%C3%A9+/{id}", "a b/é+/ID"),
            ("x-{kind}-{id}-y", "x-crash-ID-y"), ("%7Bid%7D/{id}", "{id}/ID"),
        ])
    func templates(template: String, expected: String) throws {
        #expect(try Self.key(template) == expected.replacing("ID", with: Self.id))
    }

    @Test("the key ends in .gz where the object is a gzip file", arguments: [ReportEncoding.gzip, .identity])
    func encodings(encoding: ReportEncoding) throws {
        #expect(try Self.key("", encoding: encoding) == "crash/2026/11/22/\(Self.id)")
        #expect(try Self.key("{id}.gz", encoding: .gzip) == "\(Self.id).gz")
        #expect(throws: ReportsError.self) { try Self.key("{id}.gz", encoding: .identity) }
    }

    @Test(
        "a hostile value stays in its segment",
        arguments: [
            ("../..", ".._.."), ("a/b", "a_b"), ("%2f..%2f", "_2f.._2f"), ("", "_"), ("..", "_"), (".", "_"),
            ("a\nb", "a_b"), ("a\r\nb", "a__b"), ("é", "_"), ("日本", "__"), ("\u{0}", "_"), ("a b", "a_b"),
            ("\\..\\", "_.._"), ("C:", "C_"), ("{id}", "_id_"), ("~root", "~root"), ("a?b#c&d", "a_b_c_d"),
        ])
    func hostile(value: String, expected: String) throws {
        #expect(try Self.key("{annotation:who}/{id}", who: value) == "\(expected)/\(Self.id)")
    }

    @Test("two values cannot make .. together, and a long one is cut")
    func together() throws {
        #expect(try Self.key("{annotation:who}{annotation:who}/{id}", who: ".") == "_/\(Self.id)")
        #expect(try Self.key(".{annotation:who}/{id}", who: ".") == "_/\(Self.id)")
        let long = try Self.key("{annotation:who}/{id}", who: String(repeating: "a", count: 1_024))
        #expect(long == String(repeating: "a", count: 200) + "/" + Self.id)
    }

    @Test(
        "what is no key is refused",
        arguments: [
            ("a//{id}", "a segment in its key that is empty"), ("./{id}", "a segment in its key"),
            ("../{id}", "a segment in its key"), ("%2e%2e/{id}", "a segment in its key"),
            ("a%2Fb/{id}", "write a slash"), ("a%00/{id}", "a control character"), ("a%0a/{id}", "a control character"),
            ("%ff/{id}", "no UTF-8"), ("{id}/", "ends in a slash"), ("a%/{id}", "has a % without"),
            ("${id}", "has a $ before {id}"), (String(repeating: "a/", count: 500) + "{id}", "more than 1024 bytes"),
        ])
    func refused(template: String, expected: String) {
        let error = #expect(throws: ReportsError.self) { try Self.key(template) }
        #expect(error?.code == .badConfiguration)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test("a report whose key would be too long, or that is too large, is not admitted")
    func admission() throws {
        let marks = Array(repeating: "{annotation:who}", count: 6).joined(separator: "/")
        let kind = try S3AddressTests.kind("s3://lab/\(marks)/{id}?region=eu-central-1")
        let short = try DestinationContractTests.report(annotations: ["who": "me"]).stored
        let long = try DestinationContractTests.report(annotations: ["who": String(repeating: "a", count: 300)]).stored
        #expect(kind.admits(ReportOutline(short)) == .yes)
        #expect(kind.admits(ReportOutline(long)) == .no("takes no key of more than 1024 bytes"))
        let huge = StoredReport(
            id: short.id, properties: short.properties, size: 1, wireSize: (5 << 30) + 1, wireHash: short.wireHash,
            headerByteCount: 0)
        #expect(kind.admits(ReportOutline(huge)) == .no("takes no object of more than 5 GiB"))
    }
}
