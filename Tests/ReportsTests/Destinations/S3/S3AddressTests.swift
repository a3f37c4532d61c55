import Background
import TestSupport
import Testing

@testable import Reports

/// Where the requests for a bucket go, and what is refused before anything is sent.
@Suite("Addresses of buckets")
struct S3AddressTests {
    static func kind(
        _ text: String, _ variables: [String: String] = [:], encoding: ReportEncoding? = nil
    ) throws -> S3Destination {
        var options = DestinationOptions()
        options.encoding = encoding
        return try S3Destination(S3Address(text), options, in: S3Surroundings { variables[$0] })
    }

    private static let id = String(repeating: "0", count: 64)

    @Test(
        "the bucket stands in the host name or in the path, as the endpoint says or the name allows",
        arguments: [
            ("s3://crash-reports?region=eu-central-1", "https://crash-reports.s3.eu-central-1.amazonaws.com/", ""),
            (
                "s3://crash.reports?region=eu-central-1", "https://s3.eu-central-1.amazonaws.com/crash.reports/",
                "/crash.reports"
            ),
            ("s3://crash-reports?region=cn-north-1", "https://crash-reports.s3.cn-north-1.amazonaws.com.cn/", ""),
            (
                "S3://crash-reports?region=eu-central-1&style=path",
                "https://s3.eu-central-1.amazonaws.com/crash-reports/", "/crash-reports"
            ),
            ("s3://lab?endpoint=http://127.0.0.1:9000", "http://127.0.0.1:9000/lab/", "/lab"),
            ("s3://lab?endpoint=http%3A%2F%2F127.0.0.1%3A9000", "http://127.0.0.1:9000/lab/", "/lab"),
            ("s3://lab?endpoint=https://s3.example/storage/v1/s3/", "https://s3.example/storage/v1/s3/lab/", "/lab"),
            ("s3://lab?endpoint=https://s3.example:8443&style=virtual", "https://lab.s3.example:8443/", ""),
            ("s3://Lab_1?endpoint=https://[::1]:9000", "https://[::1]:9000/Lab_1/", "/Lab_1"),
        ])
    func places(text: String, base: String, gate: String) throws {
        let kind = try Self.kind(text)
        #expect(kind.endpoint.description == "\(base)crash/1970/01/01/\(Self.id).gz")
        #expect(kind.gateKey == kind.endpoint.origin + gate)
    }

    @Test(
        "what is wrong is said without what may be a secret",
        arguments: [
            ("s3://", "names no bucket"), ("s3:///key", "names no bucket"),
            ("s3://me:hunter2@lab?region=eu-central-1", "holds a user name or password"),
            ("s3://lab:9000", "names a port: s3:// is followed by a bucket"),
            ("s3://lab?regoin=eu-central-1", "unknown parameter \"regoin\": did you mean region?"),
            ("s3://lab?x=hunter2", "unknown parameter \"x\": the parameters are region, endpoint, style"),
            ("s3://lab?secret_key=hunter2", "a parameter for credentials, which do not stand there"),
            ("s3://lab?X-Amz-Signature=hunter2", "a parameter for credentials"),
            ("s3://lab?hunter2", "a parameter without a value"),
            ("s3://lab?region=a&region=b", "has the parameter region twice"),
            ("s3://lab?region=", "no usable value for region"), ("s3://lab?region=%ff", "no usable value for region"),
            ("s3://lab?region=evil.example/", "a region that is none"),
            ("s3://lab?region=eu_central", "a region that is none of Amazon's"),
            ("s3://lab?style=pathy", "an unknown value for style: write path or virtual"),
            ("s3://lab?credentials=hunter2", "credentials that are none: automatic, environment"),
            ("s3://lab?credentials=instance&profile=x", "names a profile, which the credentials instance"),
            ("s3://lab?endpoint=127.0.0.1", "the endpoint's server (endpoint) has no scheme"),
            ("s3://lab?endpoint=http://me:hunter2@a", "user name or password"),
            ("s3://lab?endpoint=http://a/%3Fx=1", "with a query, a fragment or a mark"),
            ("s3://lab?endpoint=http://127.0.0.1:1&style=virtual", "its server is an address"),
            ("s3://Lab?region=eu-central-1", "names a bucket that is none"),
            ("s3://192.168.5.4?region=eu-central-1", "names a bucket that is none"),
            ("s3://a..b?region=eu-central-1", "names a bucket that is none"),
            ("s3://-lab?region=eu-central-1", "names a bucket that is none"),
            ("s3://l?endpoint=http://a", "names a bucket that is none"),
            ("s3://l/../x?endpoint=http://a", "a segment in its key that is empty, . or .."),
            ("s3://{host}?region=eu-central-1", "names a bucket that is none"),
            ("s3://lab/{Id}?region=eu-central-1", "has the unknown mark {Id}: the marks are {id}"),
            ("s3://lab/{id}#x", "holds a #"), ("s3://lab/a b", "that must be written as %XX"),
            ("s3://lab/é", "that must be written as %XX"),
        ])
    func refused(text: String, expected: String) {
        let error = #expect(throws: ReportsError.self) { try Self.kind(text) }
        #expect(error?.code == .badConfiguration)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("the endpoint"), "\(message)")
        #expect(message.contains(expected), "\(message)")
        #expect(!message.contains("hunter2"), "\(message)")
    }

    @Test(
        "region and server come from the endpoint, the variables, the profile, in this order",
        arguments: [
            ("?region=eu-west-1", ["AWS_REGION": "eu-west-2"], "https://lab.s3.eu-west-1.amazonaws.com:443"),
            (
                "", ["AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"],
                "https://lab.s3.eu-west-2.amazonaws.com:443"
            ),
            ("", ["AWS_DEFAULT_REGION": "eu-west-3"], "https://lab.s3.eu-west-3.amazonaws.com:443"),
            ("?region=a-b", ["AWS_ENDPOINT_URL": "https://one.example"], "https://one.example:443/lab"),
            (
                "", ["AWS_ENDPOINT_URL": "https://one.example", "AWS_ENDPOINT_URL_S3": "http://two.example"],
                "http://two.example:80/lab"
            ),
            ("?endpoint=http://a:1", ["AWS_ENDPOINT_URL": "https://one.example"], "http://a:1/lab"),
            (
                "",
                [
                    "AWS_ENDPOINT_URL": "https://one.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
                    "AWS_REGION": "eu-west-1",
                ], "https://lab.s3.eu-west-1.amazonaws.com:443"
            ),
        ])
    func locations(query: String, variables: [String: String], gate: String) throws {
        #expect(try Self.kind("s3://lab" + query, variables).gateKey == gate)
    }

    @Test("a process that only reads needs neither a region nor a key; one that sends is told what to set")
    func lacks() async throws {
        let kind = try Self.kind("s3://lab")
        let noRegion = #expect(throws: ReportsError.self) { try kind.checkSurroundings() }
        #expect(noRegion?.code == .badConfiguration)
        #expect(noRegion?.message.contains("names no region: write ?region=eu-central-1, or set AWS_REGION") == true)
        await #expect(throws: NoAnswer.self) {
            try await kind.request(for: DestinationContractTests.report(), DestinationContractTests.context())
        }
        let noKey = #expect(throws: ReportsError.self) {
            try Self.kind("s3://lab?region=eu-central-1").checkSurroundings()
        }
        #expect(noKey?.code == .badConfiguration)
        let message = noKey?.message ?? ""
        for word in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "~/.aws/credentials", "credentials=container"] {
            #expect(message.contains(word), "\(message)")
        }
        let badServer = #expect(throws: ReportsError.self) {
            try Self.kind("s3://lab", ["AWS_ENDPOINT_URL": "nowhere"]).checkSurroundings()
        }
        #expect(badServer?.message.contains("AWS_ENDPOINT_URL") == true)
    }

    @Test(
        "only what can be a region of Amazon's, under the same credentials, is ever followed",
        arguments: [
            ("eu-central-1", true), ("ap-southeast-12", true), ("us-gov-west-1", true), ("cn-north-1", false),
            ("evil.example", false), ("eu-central-1.evil", false), ("eu-1", false), ("EU-central-1", false),
            ("eu-central-123", false), ("eu-central-", false), ("", false), ("e-central-1", false),
            ("eu--central-1", false),
        ])
    func regions(name: String, isFollowed: Bool) throws {
        let place = try S3Place(bucket: "lab", region: "us-east-1", server: nil, style: nil)
        #expect((place.moved(to: name) != nil) == isFollowed)
        let own = try S3Place(bucket: "lab", region: "us-east-1", server: Endpoint("https://a.example"), style: nil)
        #expect(own.moved(to: name) == nil)
    }
}
