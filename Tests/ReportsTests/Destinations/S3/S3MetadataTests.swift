import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// The metadata of an object: they fit before they are sent, and every server signs them alike.
@Suite("Metadata of objects")
struct S3MetadataTests {
    private static func metadata(
        _ annotations: [String: String], with fields: HTTPFields = [:], withAnnotations: Bool = true
    ) throws -> [String: String] {
        var fields = fields
        S3Metadata.add(
            to: &fields, try DestinationContractTests.report(annotations: annotations).stored,
            withAnnotations: withAnnotations)
        return fields.reduce(into: [:]) { $0[$1.name.canonicalName] = $1.value }
    }

    @Test("say what the report is, and not what its file was called")
    func description() throws {
        let metadata = try Self.metadata(["service": "shop", "Version": "2.1"])
        #expect(metadata["x-amz-meta-report-kind"] == "crash")
        #expect(metadata["x-amz-meta-report-format"] == "text")
        #expect(metadata["x-amz-meta-report-collected-at"] == "2026-09-21T14:13:20.000Z")
        #expect(metadata["x-amz-meta-report-id"]?.count == 64)
        #expect(metadata["x-amz-meta-service"] == "shop" && metadata["x-amz-meta-version"] == "2.1")
        #expect(metadata.count == 6)
    }

    @Test(
        "values are printable ASCII, with one blank for many",
        arguments: [
            ("café", "caf%C3%A9"), ("  a   b ", "a b"), ("a\nb\t", "a%0Ab%09"), ("50%", "50%25"), ("", ""),
            ("a\"b;c,d", "a\"b;c,d"), ("\u{7f}\u{0}", "%7F%00"), (" ", ""),
        ])
    func values(value: String, expected: String) throws {
        #expect(try Self.metadata(["n": value])["x-amz-meta-n"] == expected)
    }

    @Test("what does not fit is left out as a whole, the last names first, and the object says so")
    func fit() throws {
        let long = try Self.metadata(["a": String(repeating: "x", count: 257), "b": "y"])
        #expect(long["x-amz-meta-a"] == nil && long["x-amz-meta-b"] == "y")
        #expect(long["x-amz-meta-report-truncated"] == "1")
        // 86 characters of three bytes are 774 in the end.
        #expect(try Self.metadata(["a": String(repeating: "é", count: 43)])["x-amz-meta-a"] == nil)

        let many = try Self.metadata(
            Dictionary(uniqueKeysWithValues: (10..<74).map { ("k\($0)", String(repeating: "v", count: 40)) }))
        let size = many.filter { $0.key.hasPrefix("x-amz-meta-") }.reduce(0) { $0 + $1.key.count + $1.value.count }
        #expect((1_400...1_536).contains(size), "\(size)")
        #expect(many["x-amz-meta-k10"] != nil && many["x-amz-meta-k73"] == nil)
        #expect(many["x-amz-meta-report-truncated"] == "1")
        #expect(try Self.metadata(["a": "b"])["x-amz-meta-report-truncated"] == nil)
    }

    @Test("an annotation takes the place neither of what the report is nor of the user's own fields")
    func names() throws {
        let fields: HTTPFields = [.known("X-Amz-Meta-Team"): "core"]
        let metadata = try Self.metadata(["report-id": "evil", "Report-New": "evil", "team": "evil"], with: fields)
        #expect(metadata["x-amz-meta-report-id"]?.count == 64)
        #expect(metadata["x-amz-meta-report-new"] == nil)
        #expect(metadata["x-amz-meta-team"] == "core")
        #expect(!metadata.values.contains("evil"))
    }

    @Test("without annotations the object says that they are missing, if there are any")
    func without() throws {
        let metadata = try Self.metadata(["service": "shop"], withAnnotations: false)
        #expect(metadata["x-amz-meta-service"] == nil && metadata["x-amz-meta-report-truncated"] == "1")
        #expect(try Self.metadata([:], withAnnotations: false)["x-amz-meta-report-truncated"] == nil)
    }
}
