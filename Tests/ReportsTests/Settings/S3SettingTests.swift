import TestSupport
import Testing

@testable import Reports

/// An S3 bucket as a destination of the settings.
@Suite("S3 in settings")
struct S3SettingTests {
    private static let parameters = "region=eu-central-1&endpoint=https://minio.example:9000&style=path&profile=shop"

    @Test("a bucket is an endpoint, alone and beside others, and its usual form is file")
    func endpoint() throws {
        let json = #"{"destinations": {"a": {"endpoint": "http://a/"}, "b": {"endpoint": "s3://bucket/{host}"}}}"#
        try withSettingsPlace(json) { place in
            let settings = try place.settings()
            #expect(settings.main.destination != nil)
            let shown = Dictionary(settings.shown.map { ($0.name, $0) }) { first, _ in first }
            #expect(shown["destinations.a.encoding"]?.value == "gzip")
            #expect(shown["destinations.b.encoding"]?.value == "file")
            #expect(shown["destinations.b.encoding"]?.standard == "file")
            let alone = try place.settings([:], [.endpoint: "s3://bucket"])
            #expect(alone.shown.first { $0.name == "encoding" }?.value == "file")
            let set = try place.settings([:], [.endpoint: "s3://bucket", .encoding: "gzip"])
            #expect(set.main.encoding == .gzip)
        }
    }

    @Test("of its parameters those are shown that are no secret; those of other endpoints are not")
    func mask() throws {
        try withSettingsPlace { place in
            func shown(_ endpoint: String) throws -> String? {
                try place.settings([:], [.endpoint: endpoint]).entry(.endpoint)?.shownText
            }
            let bucket = "s3://bucket/{kind}/{id}.gz?\(Self.parameters)"
            let (own, other) = try (shown(bucket), shown("https://a/{id}?region=eu-central-1"))
            #expect(own == bucket)
            #expect(other == "https://a/{id}?***")
        }
        // The tool shows only what it has read; the mask does not rely on it.
        #expect(Setting.endpoint.mask?("s3://b?region=r&secret=x&endpoint=https://u:p@h") == "s3://b?region=r&***&***")
        #expect(Setting.endpoint.mask?("s3://b?x&y=z") == "s3://b?***")
    }

    @Test(
        "what does not go together is told at its place",
        arguments: [
            (
                #"{"endpoint": "s3://bucket?zone=secret"}"#,
                "line 1, column 14: endpoint: the endpoint has the unknown parameter \"zone\""
            ),
            (
                #"{"endpoint": "s3://bucket?access_key=secret"}"#,
                "line 1, column 14: endpoint: the endpoint has a parameter for credentials"
            ),
            (
                #"{"endpoint": "s3://bucket", "headers": {"X-Amz-Date": "secret"}}"#,
                "line 1, column 55: headers.X-Amz-Date: X-Amz-Date is set by Reports itself: leave it out"
            ),
            (
                #"{"destinations": {"a": {"endpoint": "s3://bucket/{id}.gz", "encoding": "identity"}}}"#,
                "line 1, column 37: destinations.a.endpoint: the endpoint has a key that ends in .gz, but"
            ),
            (
                #"{"destinations": {"a": {"endpoint": "s3://bucket", "headers": {"If-Match": "secret"}}}}"#,
                "line 1, column 76: destinations.a.headers.If-Match: If-Match is set by Reports itself"
            ),
        ])
    func slips(json: String, expected: String) throws {
        try withSettingsPlace(json) { place in
            let problem = try place.problem()
            #expect(problem.hasPrefix(expected), "\(problem)")
            #expect(!problem.contains("secret"), "\(problem)")
        }
    }

    @Test("what is expected of an endpoint names the schemes of all kinds")
    func expectation() {
        #expect(
            Setting.endpoint.expectation
                == "an http, https, s3, sentry+https, minidump+https or otlp+https address, which may hold marks such "
                + "as {id}")
    }
}
