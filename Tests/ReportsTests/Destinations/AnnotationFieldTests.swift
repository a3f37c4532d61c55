import Reports
import SystemPackage
import TestSupport
import Testing

/// `Report-Annotations` byte for byte: servers parse it, and a report that waits may be sent by a later release.
@Suite("Annotations on their way")
struct AnnotationFieldTests {
    static let fields: [(annotations: [String: String], field: String)] = [
        (["version": "2.1"], #"version="2.1""#),
        (["Version": "2.1"], #"version="2.1""#),
        (["1a": "x"], #"*1a="x""#),
        (["_x": ""], #"*_x="""#),
        (["-": "a"], #"*-="a""#),
        ([".b": "c"], #"*.b="c""#),
        (["q": #"a"b\c"#], #"q="a\"b\\c""#),
        (["c": "a, b; c=d"], #"c="a, b; c=d""#),
        (["t": "tab\there"], #"t=%"tab%09here""#),
        (["n": "line\nbreak"], #"n=%"line%0abreak""#),
        (["d": "\u{7f}"], #"d=%"%7f""#),
        (["u": #"é %"\"#], #"u=%"%c3%a9 %25%22\""#),
        (["e": "😀"], #"e=%"%f0%9f%98%80""#),
        (["p": "100%"], #"p="100%""#),
        (["true": "?1"], #"true="?1""#),
        (["b": "2", "a": "1", "C": "3"], #"c="3", a="1", b="2""#),
        (["z9": "y", "Ab-c_d.e": #"ü, "x""#], #"ab-c_d.e=%"%c3%bc, %22x%22", z9="y""#),
    ]

    @Test("annotations have one form each, whatever stands in them")
    func forms() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let reporter = try Reporter(
                    spool: FilePath(directory + "/spool"), destination: .http(server.url("/{id}")))
                var expected: [String: String] = [:]
                for (number, (annotations, field)) in Self.fields.enumerated() {
                    let id = try await reporter.collect(Array("report \(number)".utf8), annotations: annotations)
                    expected["/\(id)"] = field
                }
                #expect(try await reporter.submitPending().delivered == Self.fields.count)
                for request in server.requests {
                    #expect(request.headers.values("Report-Annotations") == [expected[request.target] ?? ""])
                }
            }
        }
    }
}
