import Background
import Diagnosis
import Digests
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// The envelope of a report, and what is kept of the answer to it.
@Suite("Requests to Sentry", .timeLimit(.minutes(2)))
struct SentryRequestTests {
    private static let key = "0123456789abcdef0123456789abcdef"

    /// Of ``report(_:size:)``.
    private static let eventID = ReportUUID(ContentHash(of: Array("crash\nline two".utf8))).hex

    private static func destination(
        _ attachments: SentryAttachments = .whole, encoding: ReportEncoding? = nil
    ) -> Destination {
        var destination = Destination.sentry(
            dsn: "https://\(key)@sentry.example/17", attachments: attachments,
            headers: [("X-Team", "shop"), ("X-Sentry-Auth", "mine")])
        destination.encoding = encoding
        return destination
    }

    /// A report that lies in no spool, of any size without being of that size.
    private static func report(_ payload: String = "crash\nline two", size: UInt64? = nil) throws -> OutgoingReport {
        let bytes = Array(payload.utf8)
        let properties = ReportProperties(
            kind: .crash, from: .given, format: "text", contentType: "text/plain; charset=utf-8",
            name: Array("/home/ann/core.txt".utf8), collectedAt: 1_790_000_000_000, annotations: [:],
            summary: "a crash")
        let wire = try WireForm.member(of: bytes)
        let stored = StoredReport(
            id: ContentHash(of: bytes), properties: properties, size: size ?? UInt64(bytes.count),
            wireSize: UInt64(wire.count), wireHash: ContentHash(of: wire), headerByteCount: 0)
        return OutgoingReport(stored, payload: bytes, deflated: Array(wire.dropFirst(WireForm.prefix.count)))
    }

    /// The lines of an envelope, the last one being the payload.
    private static func lines(_ request: TransferRequest) throws -> [String] {
        var body: [UInt8] = []
        for case .bytes(let bytes) in try #require(request.body).segments { body += bytes }
        if request.fields[.contentEncoding] == "gzip" { body = try inflated(body, .gzip) }
        let parts = body.split(separator: UInt8(ascii: "\n"), maxSplits: 4, omittingEmptySubsequences: false)
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "an envelope has one event, and the payload last as it was dropped",
        arguments: [nil, .gzip, .identity] as [ReportEncoding?])
    func envelope(encoding: ReportEncoding?) async throws {
        let report = try Self.report()
        let request = try await Self.destination(encoding: encoding).kind().request(
            for: report, DestinationContractTests.context())
        #expect(request.endpoint.description == "https://sentry.example/api/17/envelope/")
        #expect(request.method == .post)
        #expect(request.fields[.contentType] == "application/x-sentry-envelope")
        #expect(request.fields[.contentEncoding] == (encoding == .identity ? nil : "gzip"))
        #expect(
            request.fields[values: .known("X-Sentry-Auth")] == [
                "Sentry sentry_version=7, sentry_client=reports.swift/\(ReportsVersion.current), sentry_key=\(Self.key)"
            ])
        #expect(request.fields[.known("X-Team")] == "shop")

        let lines = try Self.lines(request)
        #expect(lines.count == 5)
        let header = try JSONValue.parse(Array(lines[0].utf8))
        let event = try JSONValue.parse(Array(lines[2].utf8))
        #expect(header["event_id"]?.stringValue?.count == 32)
        #expect(header["event_id"] == event["event_id"])
        #expect(header["sent_at"]?.stringValue == "2026-09-21T14:13:20.000Z")
        #expect(header["dsn"] == nil)
        let item = try JSONValue.parse(Array(lines[1].utf8))
        #expect(item["type"]?.stringValue == "event")
        #expect(item["length"]?.integerValue == Int64(lines[2].utf8.count))
        let attachment = try JSONValue.parse(Array(lines[3].utf8))
        #expect(attachment["type"]?.stringValue == "attachment")
        #expect(attachment["length"]?.integerValue == 14)
        #expect(attachment["filename"]?.stringValue == "\(report.stored.id.hex.prefix(12)).txt")
        #expect(attachment["content_type"]?.stringValue == "text/plain; charset=utf-8")
        #expect(lines[4] == "crash\nline two")
        #expect(!lines[..<4].joined().contains("ann"))
    }

    @Test("without an attachment the envelope ends with the event", arguments: [nil, .identity] as [ReportEncoding?])
    func alone(encoding: ReportEncoding?) async throws {
        let request = try await Self.destination(.none, encoding: encoding).kind().request(
            for: Self.report(), DestinationContractTests.context())
        let lines = try Self.lines(request)
        #expect(lines.count == 3)
        let item = try JSONValue.parse(Array(lines[1].utf8))
        #expect(item["length"]?.integerValue == Int64(lines[2].utf8.count))
    }

    @Test("a payload above 20 MiB is taken only where it may be left out")
    func large() throws {
        let limit = SentryAttachments.maximumByteCount
        for (attachments, size, isTaken) in [
            (SentryAttachments.whole, limit, true), (.whole, limit + 1, false), (.omit, limit + 1, true),
            (.none, limit + 1, true),
        ] {
            let outline = try ReportOutline(Self.report(size: size).stored)
            #expect((try Self.destination(attachments).kind().admits(outline) == .yes) == isTaken)
        }
        let outline = try ReportOutline(Self.report(size: 43_200_000).stored)
        #expect(
            try Self.destination().kind().admits(outline)
                == .no(
                    "takes no attachment of 41.2 MiB; with attachments=omit in its endpoint the event goes without it"))
    }

    @Test("an attachment that is too large for the server is left out once, where it may be, and the receipt says so")
    func tooLarge() async throws {
        let tooLarge = TransferAnswer(
            status: 413, fields: [:], body: [], bytesSent: 9, isWholeBodySent: true, isLoopback: false)
        let good = TransferAnswer(
            status: 200, fields: [:], body: Array("{\"id\":\"\(Self.eventID)\"}".utf8), bytesSent: 9,
            isWholeBodySent: true, isLoopback: false)
        let report = try Self.report()
        let context = DestinationContractTests.context()
        let kind = try Self.destination(.omit).kind()
        let change = try #require(kind.judge(tooLarge, to: report, context).again)
        #expect(kind.judge(good, to: report, context).receipt == "{\"status\":200,\"event_id\":\"\(Self.eventID)\"}")

        let second = DestinationContractTests.context(change)
        #expect(try await Self.lines(kind.request(for: report, second)).count == 3)
        #expect(kind.judge(tooLarge, to: report, second).again == nil)
        #expect(kind.judge(tooLarge, to: report, second).disposition == .rejected)
        #expect(
            kind.judge(good, to: report, second).receipt
                == "{\"status\":200,\"event_id\":\"\(Self.eventID)\",\"left_out\":[\"attachment\"]}")
        #expect(try Self.destination().kind().judge(tooLarge, to: report, context).again == nil)
    }

    @Test("a 2xx without the id of an event is no delivery, since another site may have given it")
    func foreign() throws {
        let kind = try Self.destination().kind()
        for body in ["", "<html>", "{}", "{\"id\":\"\"}", "[1]", "{\"id\":7}"] {
            let answer = TransferAnswer(
                status: 200, fields: [.contentType: "text/html"], body: Array(body.utf8), bytesSent: 9,
                isWholeBodySent: true, isLoopback: false)
            let judgement = try kind.judge(answer, to: Self.report(), DestinationContractTests.context())
            #expect(judgement.disposition == .hold(.acknowledgement), "\(body)")
        }
    }

    @Test("an id with dashes is one, too, and an answer that breaks off is asked for whole")
    func dashes() throws {
        let kind = try Self.destination().kind()
        let id = "\(ReportUUID(ContentHash(of: Array("crash\nline two".utf8))))".uppercased()
        let answer = TransferAnswer(
            status: 200, fields: [:], body: Array("{\"id\":\"\(id)\"}".utf8), bytesSent: 9, isWholeBodySent: true,
            isLoopback: false)
        let judgement = try kind.judge(answer, to: Self.report(), DestinationContractTests.context())
        #expect(judgement.disposition == .delivered)
        #expect(kind.answerByteCount == 4 << 10)
    }

    @Test("a cut through the server's words leaves no part of the key")
    func cutWords() throws {
        let kind = try Self.destination().kind()
        for count in 100...170 {
            let text = String(repeating: "x", count: count) + Self.key
            let answer = TransferAnswer(
                status: 401, fields: [:], body: Array("{\"detail\":\"\(text)\"}".utf8), bytesSent: 9,
                isWholeBodySent: true, isLoopback: false)
            let judgement = try kind.judge(answer, to: Self.report(), DestinationContractTests.context())
            #expect(judgement.note?.contains(Self.key.prefix(6)) == false, "\(judgement.note ?? "")")
        }
    }

    @Test("an endpoint that is given to the library keeps what it says of payloads")
    func endpointInLibrary() throws {
        let kind = try Destination.sentry(dsn: "sentry+https://\(Self.key)@sentry.example/17?attachments=none").kind()
        #expect((kind as? SentryDestination)?.attachments == SentryAttachments.none)
    }

    @Test("the server's words are told, without the key and what steers a terminal")
    func words() throws {
        let kind = try Self.destination().kind()
        let answer = TransferAnswer(
            status: 401, fields: [:],
            body: Array("{\"detail\":\"bad key \(Self.key)\\u001b[31m\",\"causes\":[]}".utf8), bytesSent: 9,
            isWholeBodySent: true, isLoopback: false)
        let judgement = try kind.judge(answer, to: Self.report(), DestinationContractTests.context())
        #expect(judgement.disposition == .hold(.auth))
        #expect(judgement.note?.hasPrefix("the server answered 401: bad key ***") == true, "\(judgement.note ?? "")")
        #expect(judgement.note?.contains("\u{1b}") == false)
    }
}
