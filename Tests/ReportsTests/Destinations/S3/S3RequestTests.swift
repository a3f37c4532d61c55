import Background
import Digests
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// The request of a report, and what is kept of its answer.
@Suite("Requests to S3")
struct S3RequestTests {
    private static let key = S3AccessKey(
        id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: "t0ken")

    private static func kind(
        headers: [(name: String, value: String)] = [], encoding: ReportEncoding? = nil,
        credentials: S3Credentials = .key(key), acknowledgement: Acknowledgement? = nil
    ) throws -> any DestinationKind {
        var destination = Destination(headers: headers) { options throws(ReportsError) in
            var address = try S3Address("s3://crash-reports?region=eu-central-1")
            address.credentials = credentials
            return try S3Destination(address, options, in: S3Surroundings { _ in nil })
        }
        destination.encoding = encoding
        destination.acknowledgement = acknowledgement
        return try destination.kind()
    }

    private static func request(_ kind: any DestinationKind) async throws -> TransferRequest {
        try await kind.request(for: DestinationContractTests.report(), DestinationContractTests.context())
    }

    @Test("the form decides on type, coding, hash and bytes", arguments: [nil] + ReportEncoding.all)
    func forms(encoding: ReportEncoding?) async throws {
        let request = try await Self.request(Self.kind(encoding: encoding))
        let stored = try DestinationContractTests.report().stored
        let isFile = encoding == nil || encoding == .file
        #expect(request.method == .put)
        #expect(request.fields[.contentType] == (isFile ? "application/gzip" : "text/plain"))
        #expect(request.fields[.contentEncoding] == (encoding == .gzip ? "gzip" : nil))
        let hash = encoding == .identity ? stored.id : stored.wireHash
        #expect(request.fields[.known("x-amz-content-sha256")] == hash.hex)
        var body: [UInt8] = []
        for case .bytes(let bytes) in try #require(request.body).segments { body += bytes }
        #expect(ContentHash(of: body) == hash)
        #expect(request.endpoint.path.hasSuffix(".gz") == isFile)
        #expect(!request.followsRedirects)
    }

    @Test("is signed with all that it has but the name of the program")
    func signature() async throws {
        let request = try await Self.request(Self.kind(headers: [("x-amz-storage-class", "STANDARD_IA")]))
        let fields = request.fields
        #expect(fields[.host] == "crash-reports.s3.eu-central-1.amazonaws.com")
        #expect(fields[.ifNoneMatch] == "*")
        #expect(fields[.known("x-amz-security-token")] == "t0ken")
        #expect(fields[.known("x-amz-date")] == "20260921T141320Z")
        var unsigned = fields
        unsigned[.authorization] = nil
        let signature = SignatureV4(key: Self.key, region: "eu-central-1", date: "20260921T141320Z")
        let expected = signature.authorization(
            "PUT", request.endpoint.path, unsigned,
            payloadHash: fields[.known("x-amz-content-sha256")] ?? "")
        #expect(fields[.authorization] == expected)
        let names = expected.split(separator: "=").dropFirst(2).first?.prefix { $0 != "," }.split(separator: ";")
        #expect(
            names?.map(String.init) == [
                "content-type", "host", "if-none-match", "x-amz-content-sha256", "x-amz-date",
                "x-amz-meta-report-collected-at", "x-amz-meta-report-format", "x-amz-meta-report-id",
                "x-amz-meta-report-kind", "x-amz-security-token", "x-amz-storage-class",
            ])
    }

    @Test(
        "a header of the user's that the sender sets itself is not sent, and refused where it is known",
        arguments: [
            "Authorization", "Host", "X-Amz-Date", "x-amz-content-sha256", "x-amz-security-token", "If-None-Match",
            "If-Match", "Content-MD5", "Content-Type", "x-amz-meta-report-id", "Connection", "Transfer-Encoding",
        ])
    func ownHeaders(name: String) async throws {
        let plain = try await Self.request(Self.kind())
        let request = try await Self.request(Self.kind(headers: [(name, "evil")]))
        #expect(request.fields == plain.fields)
        let error = #expect(throws: ReportsError.self) {
            try Destination.s3(bucket: "lab-1", region: "eu-central-1", headers: [(name, "evil")]).validate()
        }
        #expect(error?.message == "the header \(name) is set by Reports itself: leave it out")
    }

    @Test("the program's own key is asked for at each attempt, and only the type of an error is kept")
    func provider() async throws {
        struct VaultIsSealed: Error {}
        let count = Monitor(0)
        let kind = try Self.kind(
            credentials: .provider {
                let number = count.withLock {
                    $0 += 1
                    return $0
                }
                guard number < 3 else { throw VaultIsSealed() }
                return S3AccessKey(id: "KEY\(number)", secret: "secret")
            })
        try kind.checkSurroundings()
        #expect(try await Self.request(kind).credential == "KEY1")
        #expect(try await Self.request(kind).credential == "KEY2")
        let error = await #expect(throws: NoAnswer.self) { try await Self.request(kind) }
        #expect(error == .unprepared("the program could not provide the credentials (VaultIsSealed)"))
    }

    @Test("a description of a key shows its last four characters, and a dump no more")
    func description() {
        #expect("\(Self.key)" == "…MPLE")
        #expect(String(reflecting: Self.key) == "…MPLE")
        var text = ""
        dump(S3Credentials.key(Self.key), to: &text)
        dump(Self.key, to: &text)
        #expect(!text.contains("AKIA") && !text.contains("wJalr") && !text.contains("t0ken"), "\(text)")
        #expect("\(S3AccessKey(id: "short", secret: "s"))" == "…")
    }

    @Test("what is kept of an answer is what the object is called there, and never the body")
    func receipts() throws {
        let kind = try Self.kind()
        let report = try DestinationContractTests.report()
        var answer = TransferAnswer(
            status: 200,
            fields: [.eTag: "\"5d41\"", .known("x-amz-request-id"): "44\u{1b}25", .known("x-amz-version-id"): "v1"],
            body: [], bytesSent: 1, isWholeBodySent: true, isLoopback: false)
        let delivered = kind.judge(answer, to: report, DestinationContractTests.context())
        #expect(delivered.disposition == .delivered)
        for text in [
            "\"etag\":\"\\\"5d41\\\"\"", "\"version_id\":\"v1\"", "\"bucket\":\"crash-reports\"",
            "\(report.stored.id.hex).gz",
        ] {
            #expect(delivered.receipt?.contains(text) == true, "\(delivered.receipt ?? "")")
        }
        answer.status = 403
        answer.body = Array(
            """
            <Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId>
            <StringToSign>AWS4-HMAC</StringToSign><SignatureProvided>abcdef</SignatureProvided></Error>
            """.utf8)
        let held = kind.judge(answer, to: report, DestinationContractTests.context())
        #expect(
            held.note
                == "the server answered 403 (SignatureDoesNotMatch): the secret key is wrong, or something on the way "
                + "has changed the request")
        let kept = (held.receipt ?? "") + (held.note ?? "")
        for secret in ["AKIA", "AWS4-HMAC", "abcdef"] { #expect(!kept.contains(secret)) }
    }

    @Test("the user's own proof of receipt counts instead of the usual one")
    func acknowledgement() throws {
        let kind = try Self.kind(acknowledgement: .header("x-stored"))
        var answer = TransferAnswer(
            status: 200, fields: [.eTag: "\"1\""], body: [], bytesSent: 1, isWholeBodySent: true, isLoopback: false)
        let report = try DestinationContractTests.report()
        #expect(
            kind.judge(answer, to: report, DestinationContractTests.context()).disposition == .hold(.acknowledgement))
        answer.fields = [.known("x-stored"): "yes"]
        #expect(kind.judge(answer, to: report, DestinationContractTests.context()).disposition == .delivered)
    }

    @Test("a portal's page over plain http is none of the store's, whatever it has")
    func portal() throws {
        let kind = try S3AddressTests.kind("s3://lab?endpoint=http://store.example")
        var answer = TransferAnswer(
            status: 200, fields: [.contentType: "text/html", .eTag: "\"1\""], body: [], bytesSent: 1,
            isWholeBodySent: true, isLoopback: false)
        let report = try DestinationContractTests.report()
        #expect(kind.judge(answer, to: report, DestinationContractTests.context()).disposition == .hold(.portal))
        answer.fields[.contentType] = nil
        #expect(kind.judge(answer, to: report, DestinationContractTests.context()).disposition == .delivered)
    }

    @Test("a clock that is off is told with its minutes; one that only looks like missing rights, too")
    func clock() throws {
        let kind = try Self.kind()
        let report = try DestinationContractTests.report()
        let context = DestinationContractTests.context()
        var answer = TransferAnswer(
            status: 403, fields: [.date: ScriptedAnswer.date(context.wall - 20 * 60_000)],
            body: Array("<Code>RequestTimeTooSkewed</Code>".utf8), bytesSent: 1, isWholeBodySent: true,
            isLoopback: false)
        let skewed = kind.judge(answer, to: report, context)
        #expect(skewed.disposition == .hold(.clock) && skewed.again == .serverClock(offset: -1_200_000))
        #expect(skewed.note?.hasSuffix("the clock of this machine is 20 min ahead of the server's") == true)
        answer.body = Array("<Code>AccessDenied</Code>".utf8)
        let denied = kind.judge(answer, to: report, context)
        #expect(denied.disposition == .hold(.auth) && denied.again == .serverClock(offset: -1_200_000))
        answer.fields[.date] = ScriptedAnswer.date(context.wall - 60_000)
        #expect(kind.judge(answer, to: report, context).again == nil)
        answer.fields[.date] = nil
        answer.body = Array("<Code>RequestTimeTooSkewed</Code><ServerTime>2026-09-21T14:33:20Z</ServerTime>".utf8)
        #expect(kind.judge(answer, to: report, context).again == .serverClock(offset: 1_200_000))
    }

    @Test("a region that may not be followed is told, and one that is none is not even shown")
    func regions() throws {
        let own = try S3AddressTests.kind("s3://lab?endpoint=https://store.example")
        let report = try DestinationContractTests.report()
        let context = DestinationContractTests.context()
        var answer = TransferAnswer(
            status: 400, fields: [:],
            body: Array("<Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region>".utf8), bytesSent: 1,
            isWholeBodySent: true, isLoopback: false)
        let told = own.judge(answer, to: report, context)
        #expect(told.disposition == .hold(.redirect) && told.again == nil)
        #expect(told.note?.contains("write region=eu-central-1 in the endpoint") == true)
        answer.status = 301
        answer.body = Array("<Code>PermanentRedirect</Code><Region>evil.example</Region>".utf8)
        let foreign = try Self.kind().judge(answer, to: report, context)
        #expect(foreign.disposition == .hold(.redirect) && foreign.again == nil)
        #expect(foreign.note?.contains("evil") == false)
    }
}
