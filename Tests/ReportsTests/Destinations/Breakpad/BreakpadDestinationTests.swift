import Background
import Diagnosis
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// What goes to a collector of minidumps, and what its answers mean.
@Suite("Collectors of minidumps")
struct BreakpadDestinationTests {
    private static func kind(
        _ endpoint: String = "minidump+https://collector.example/submit", encoding: ReportEncoding? = nil,
        acknowledgement: Acknowledgement? = nil
    ) throws -> any DestinationKind {
        var destination = Destination(endpoint: endpoint) { [("X-Team", "shop"), ("Content-Type", "evil")] }
        destination.encoding = encoding
        destination.acknowledgement = acknowledgement
        return try destination.kind()
    }

    private static func report(_ payload: String = "MDMP", format: String = "minidump") throws -> OutgoingReport {
        try DestinationContractTests.report(payload, format: format)
    }

    // MARK: - The request

    @Test("a form with the dump as it is, posted to where the user says")
    func request() async throws {
        let kind = try Self.kind("minidump+https://collector.example/submit?product=shop&version=1")
        let report = try Self.report()
        let request = try await kind.request(for: report, DestinationContractTests.context())
        #expect(request.method == .post)
        #expect(request.endpoint.description == "https://collector.example/submit?product=shop&version=1")
        #expect(request.fields[.contentType]?.hasPrefix("multipart/form-data; boundary=reports-") == true)
        #expect(request.fields[.contentEncoding] == nil)
        #expect(request.fields[.known("X-Team")] == "shop")
        #expect(request.fields[.userAgent]?.hasPrefix("Reports/") == true)
        let body = try DestinationContractTests.bytes(of: #require(request.body))
        let boundary = try #require(request.fields[.contentType]?.split(separator: "=").last)
        #expect(String(decoding: body, as: UTF8.self).hasSuffix("\r\n\r\nMDMP\r\n--\(boundary)--\r\n"))
        let again = try await kind.request(for: report, DestinationContractTests.context())
        #expect(try DestinationContractTests.bytes(of: #require(again.body)) == body, "each attempt sends the same")
    }

    @Test("the program and its version come from the dump where no annotation names them")
    func programOfDump() async throws {
        let report = try DestinationContractTests.report(
            CorpusFile.bytes(of: "test.dmp"), format: "minidump", contentType: "application/x-dmp")
        let request = try await Self.kind().request(for: report, DestinationContractTests.context())
        let body = String(decoding: try DestinationContractTests.bytes(of: #require(request.body)), as: UTF8.self)
        #expect(body.contains("name=\"prod\"\r\n\r\ntest_app.exe\r\n"))
    }

    @Test("marks are filled in, and a plain URL works as a facade does")
    func marks() async throws {
        let kind = try Self.kind("minidump+http://collector.example/{kind}/{id}")
        let report = try Self.report()
        let request = try await kind.request(for: report, DestinationContractTests.context())
        #expect(request.endpoint.description == "http://collector.example/crash/\(report.stored.id.hex)")
        let facade = try Destination.minidumps(url: "https://collector.example/{kind}").kind()
        #expect(facade.endpoint.path == "/crash")
        #expect(throws: ReportsError.self) { try Destination.minidumps(url: "collector.example").validate() }
        #expect(throws: ReportsError.self) { try Destination.minidumps(url: "https://x.example/{uuid}").validate() }
    }

    @Test("the gate is the origin and the path, without the query and without a token in the path")
    func gate() throws {
        #expect(try Self.kind("minidump+https://c.example/a/b/?k=v").gateKey == "https://c.example:443/a/b")
        let token = "8f1c62ab90de4471b7a3"
        let key = try Self.kind("minidump+https://c.example/shop/\(token)/minidump").gateKey
        #expect(!key.contains(token))
        #expect(key.hasPrefix("https://c.example:443/shop/#"))
        #expect(try Self.kind("minidump+https://c.example/shop/\(token)x/minidump").gateKey != key)
    }

    @Test("minidumps are taken, also cut ones, and nothing else", arguments: Diagnosis.formatNames)
    func admission(format: String) throws {
        for name in [format, "\(format) (damaged)"] {
            let admission = try Self.kind().admits(ReportOutline(Self.report(format: name).stored))
            #expect(admission == (format == "minidump" ? .yes : .no("takes minidumps only")))
        }
    }

    @Test("no other form than the payload itself can be set")
    func encodings() throws {
        _ = try Self.kind(encoding: .identity)
        for encoding in [ReportEncoding.gzip, .file] {
            let error = #expect(throws: ReportsError.self) { try Self.kind(encoding: encoding) }
            #expect(error?.code == .badConfiguration)
        }
    }

    // MARK: - Answers

    @Test("the body with the id is needed whole, unless another proof counts")
    func neededBody() throws {
        #expect(try Self.kind().answerByteCount == 4 << 10)
        #expect(try Self.kind(acknowledgement: .any).answerByteCount == nil)
        #expect(try Self.kind(acknowledgement: .header("X-Receipt")).answerByteCount == nil)
    }

    private static func judge(
        _ status: Int, _ body: String, type: String = "text/plain", _ acknowledgement: Acknowledgement? = nil,
        url: String = "minidump+https://collector.example/submit"
    ) throws -> Judgement {
        let result = TransportResult.status(status, headers: [("Content-Type", type)], text: body)
        guard case .answer(var answer) = result else { throw NoAnswer.interrupted }
        answer.isLoopback = false
        return try kind(url, acknowledgement: acknowledgement)
            .judge(answer, to: report(), DestinationContractTests.context())
    }

    private static func receipt(_ judgement: Judgement) throws -> JSONValue {
        try JSONValue.parse(Array((judgement.receipt ?? "").utf8))
    }

    @Test("a 200 counts with the id of the crash, which the receipt keeps")
    func crashID() throws {
        for (body, id) in [
            ("CrashID=bp-6d1f6ac6\n", "bp-6d1f6ac6"), ("CrashID=1\r\nignored", "1"), ("CrashID=x", "x"),
            ("CrashID=\u{1b}[31m", "\u{fffd}[31m"),
        ] {
            let judgement = try Self.judge(200, body)
            #expect(judgement.disposition == .delivered)
            #expect(try Self.receipt(judgement)["crash_id"]?.stringValue == id)
        }
        for body in ["", "CrashID=", "\nCrashID=1", "x CrashID=1", "crashid=1", "6d1f6ac6-0f2c"] {
            let judgement = try Self.judge(200, body)
            #expect(judgement.disposition == .hold(.acknowledgement), "\(body)")
        }
    }

    @Test("with `any`, every 2xx counts but a refusal, and a page over plain http")
    func lenient() throws {
        for (status, body) in [(200, "6d1f6ac6-0f2c"), (200, ""), (204, ""), (200, "{\"response\":\"ok\"}")] {
            #expect(try Self.judge(status, body, .any).disposition == .delivered)
        }
        let bare = try Self.receipt(Self.judge(200, "6d1f6ac6-0f2c\n", .any))
        #expect(bare["crash_id"]?.stringValue == "6d1f6ac6-0f2c")
        #expect(try Self.receipt(Self.judge(200, "thank you", .any))["crash_id"] == nil)
        #expect(try Self.judge(200, "Discarded=rule_x", .any).disposition == .rejected)
        let page = try Self.judge(
            200, "<html>", type: "text/html", .any, url: "minidump+http://collector.example/submit")
        #expect(page.disposition == .hold(.portal))
    }

    @Test("another proof of the user's counts in place of the id, and is kept")
    func otherProof() throws {
        let judgement = try Self.judge(200, #"{"_rxid":"1-2"}"#, .json("_rxid"))
        #expect(judgement.disposition == .delivered)
        #expect(try Self.receipt(judgement)["acknowledgement"]?.stringValue == "1-2")
        #expect(try Self.judge(200, "CrashID=1", .json("_rxid")).disposition == .hold(.acknowledgement))
        #expect(try Self.kind(acknowledgement: .json("_rxid")).answerByteCount == 64 << 10)
    }

    @Test("a page in place of the collector is none, and one that has the id is the collector's")
    func portal() throws {
        let url = "minidump+http://collector.example/submit"
        let page = try Self.judge(200, "<html>", type: "text/html", url: url)
        #expect(page.disposition == .hold(.acknowledgement) || page.disposition == .hold(.portal))
        #expect(try Self.judge(200, "CrashID=1", type: "text/html", url: url).disposition == .delivered)
    }

    @Test("a refusal is one whatever its status, and says why")
    func discarded() throws {
        let rule = try Self.judge(200, "Discarded=rule_unsupported_product")
        #expect(rule.disposition == .rejected)
        #expect(rule.note == "the server answered 200 and discarded it: rule_unsupported_product")
        #expect(try Self.judge(400, "Discarded=malformed_bad_gzip").note?.hasSuffix("malformed_bad_gzip") == true)
        let stranger = try Self.judge(401, "Discarded=unauthorized_uuid")
        #expect(stranger.disposition == .hold(.auth))
        #expect(stranger.note == "the server answered 401: unauthorized_uuid")
        #expect(try Self.judge(503, "Discarded=x").disposition == .notNow)
        #expect(try Self.judge(413, "").rejection == .tooLarge)
        let longest = try Self.judge(415, "Discarded=" + String(repeating: "\u{7}", count: 500))
        #expect(longest.note.map { $0.utf8.count <= 256 } == true)
    }

    @Test("an address without a collector holds the destination", arguments: [404, 405])
    func nobody(status: Int) throws {
        let judgement = try Self.judge(status, "CrashID=1")
        #expect(judgement.disposition == .hold(.destination))
        #expect(judgement.note == "the server answered \(status): no collector of minidumps is at this address")
    }
}
