import Background
import Diagnosis
import Digests
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// What goes to a collector of OpenTelemetry.
@Suite("Collectors of OpenTelemetry")
struct OTLPDestinationTests {
    private static func kind(
        _ endpoint: String = "otlp+https://collector.example:4318", encoding: ReportEncoding? = nil,
        acknowledgement: Acknowledgement? = nil
    ) throws -> any DestinationKind {
        var destination = Destination(endpoint: endpoint) { [("X-Team", "shop"), ("Content-Encoding", "evil")] }
        destination.encoding = encoding
        destination.acknowledgement = acknowledgement
        return try destination.kind()
    }

    private static func report(
        _ payload: [UInt8], format: String = "text", contentType: String = "text/plain; charset=utf-8"
    ) throws -> OutgoingReport {
        try DestinationContractTests.report(payload, format: format, contentType: contentType)
    }

    // MARK: - The endpoint

    @Test(
        "the path for logs is added unless it is there, and marks the same place for the facade",
        arguments: [
            ("https://c.example", "https://c.example/v1/logs"), ("https://c.example/", "https://c.example/v1/logs"),
            ("http://c.example:4318/otlp//", "http://c.example:4318/otlp/v1/logs"),
            ("https://c.example/v1/logs", "https://c.example/v1/logs"),
            ("https://c.example/v1/logs/", "https://c.example/v1/logs"),
            ("https://[::1]:4318/a", "https://[::1]:4318/a/v1/logs"),
        ])
    func paths(url: String, expected: String) throws {
        let endpoint = try Self.kind("otlp+\(url)").endpoint
        #expect(endpoint.description == expected)
        #expect(try Destination.otlp(endpoint: url).kind().endpoint == endpoint)
        #expect(try Destination.otlp(endpoint: "otlp+\(url)").kind().endpoint == endpoint)
        #expect(try Self.kind("otlp+\(url)").gateKey == endpoint.origin + endpoint.path)
    }

    @Test("a place has its own gate, so that one which is wrong keeps nothing back from others of the server")
    func gates() throws {
        let keys = try ["otlp+https://c.example", "otlp+https://c.example/other", "https://c.example/v1"].map {
            try Self.kind($0).gateKey
        }
        #expect(Set(keys).count == 3)
        let token = String(repeating: "0123abcd", count: 4)
        let key = try Self.kind("otlp+https://c.example/\(token)/otlp").gateKey
        #expect(!key.contains(token) && key.hasSuffix("/otlp/v1/logs"))
    }

    @Test(
        "what is wrong with an endpoint is said without what may be a secret",
        arguments: [
            ("otlp+https://c.example?payload=secret", "payload"), ("otlp+https://c.example?payloads=cut", "payload?"),
            ("otlp+https://c.example?payload=cut&payload=omit", "twice"), ("otlp+https://c.example?payload", "value"),
            ("otlp+https://c.example?api_key=secret", "credentials"), ("otlp+https://c.example/{id}", "mark"),
            ("otlp+https://c.example/#secret", "#"), ("otlp+https://", "names no host"),
            ("otlp+https://u:secret@c.example", "user name"), ("otlp+https://c.example:99999", "port"),
        ])
    func problems(text: String, expected: String) throws {
        let error = #expect(throws: ReportsError.self) { try Self.kind(text) }
        #expect(error?.code == .badConfiguration)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("secret") == false)
    }

    @Test("a proof in the body cannot be demanded, since the body is no JSON; one in a header can")
    func acknowledgements() throws {
        #expect(throws: ReportsError.self) { try Self.kind(acknowledgement: .json("id")) }
        _ = try Self.kind(acknowledgement: .any)
        let kind = try Self.kind(acknowledgement: .header("X-Receipt"))
        let report = try Self.report([1])
        for (fields, disposition) in [
            ([("X-Receipt", "7")], ResponseDisposition.delivered), ([], .hold(.acknowledgement)),
        ] {
            guard case .answer(let answer) = TransportResult.status(200, headers: fields) else { return }
            #expect(kind.judge(answer, to: report, DestinationContractTests.context()).disposition == disposition)
        }
    }

    // MARK: - The request

    @Test("a request is one record, compressed as one member or not at all")
    func request() async throws {
        let text = Array("Traceback (most recent call last):\n".utf8)
        let plain = try await Self.kind(encoding: .identity)
            .request(for: Self.report(text), DestinationContractTests.context())
        #expect(plain.method == .post)
        #expect(plain.fields[.contentType] == "application/x-protobuf")
        #expect(plain.fields[.contentEncoding] == nil)
        #expect(plain.fields[.known("X-Team")] == "shop")
        let message = try DestinationContractTests.bytes(of: #require(plain.body))
        #expect(message.firstRange(of: text) != nil)

        let request = try await Self.kind().request(for: Self.report(text), DestinationContractTests.context())
        #expect(request.fields[.contentEncoding] == "gzip")
        let member = try DestinationContractTests.bytes(of: #require(request.body))
        #expect(Inflater.gzipPrefix(member[...], limit: 1 << 20) == message)
        #expect(member.starts(with: WireForm.prefix))
        #expect(
            Array(member.suffix(4)) == WireForm.trailer(checksum: 0, payloadByteCount: UInt64(message.count)).suffix(4))
    }

    // MARK: - Which payloads

    @Test("text of 256 KiB is taken, and not a byte more, unless the endpoint says what becomes of it")
    func largeText() async throws {
        let limit = OTLPPayload.maximumByteCount
        let fitting = try Self.report(Array(repeating: UInt8(ascii: "x"), count: limit))
        let large = try Self.report(Array(repeating: UInt8(ascii: "x"), count: limit + 1))
        #expect(try Self.kind().admits(ReportOutline(fitting.stored)) == .yes)
        #expect(
            try Self.kind().admits(ReportOutline(large.stored))
                == .no(
                    "takes no payload of 256.0 KiB, only text of up to 256 KiB; with payload=cut in its endpoint the "
                        + "record has the beginning"))
        for word in ["cut", "omit"] {
            let kind = try Self.kind("otlp+https://c.example?payload=\(word)")
            #expect(kind.admits(ReportOutline(large.stored)) == .yes)
        }
    }

    @Test("a payload that is no text is not taken, with its size in words; an empty one is")
    func binary() throws {
        let report = try Self.report(
            Array(repeating: 0, count: 44 << 10), format: "elf-core", contentType: "application/x-coredump")
        guard case .no(let words) = try Self.kind().admits(ReportOutline(report.stored)) else {
            Issue.record("it was taken")
            return
        }
        #expect(words.hasPrefix("takes no payload of 44.0 KiB that is no text"))
        let empty = try Self.report([], format: "empty", contentType: "application/octet-stream")
        #expect(try Self.kind().admits(ReportOutline(empty.stored)) == .yes)
    }

    /// The payload, its content type, and what the attribute has of it by `whole`, `cut` and `omit`; `nil` where a
    /// report is not sent, and an empty text where the record goes without it.
    private static let payloads: [(bytes: [UInt8], format: String, type: String, whole: String?, cut: String)] = [
        (Array("text".utf8), "text", "text/plain; charset=utf-8", "text", "text"),
        (Array("{\"a\":".utf8), "metrickit (damaged)", "application/octet-stream", "{\"a\":", "{\"a\":"),
        (Array("caf".utf8) + [0xe9], "text", "text/plain", nil, "caf\u{fffd}"),
        ([0xff, 0xfe, 0x41, 0], "text", "text/plain; charset=utf-16", "A", "A"),
        ([0, 1, 2, 0xff], "binary", "application/octet-stream", nil, ""),
        (Array("MDMP".utf8), "minidump", "application/x-dmp", nil, ""),
    ]

    @Test("what goes out of a payload is what the endpoint says, and the receipt tells what was left out")
    func policies() async throws {
        for (bytes, format, type, whole, cut) in Self.payloads {
            let report = try Self.report(bytes, format: format, contentType: type)
            for (word, expected) in [("whole", whole), ("cut", cut), ("omit", "")] {
                let kind = try #require(
                    Self.kind("otlp+https://c.example?payload=\(word)") as? OTLPDestination)
                guard let expected else {
                    let isAdmitted = kind.admits(ReportOutline(report.stored)) == .yes
                    #expect(!isAdmitted || (try? kind.part(of: report)) == nil, "\(format) \(word)")
                    continue
                }
                #expect(try kind.part(of: report).text ?? "" == expected, "\(format) \(word)")
                _ = try await kind.request(for: report, DestinationContractTests.context())
                let repaired: String? = expected.contains("\u{fffd}") ? "bytes of payload" : nil
                let left = expected.isEmpty ? "payload" : repaired
                #expect(try Self.leftOut(kind, report) == left.map { [$0] }, "\(format) \(word)")
            }
        }
    }

    /// What the receipt of a delivery says was left out.
    private static func leftOut(_ kind: any DestinationKind, _ report: OutgoingReport) throws -> [String]? {
        guard case .answer(let answer) = TransportResult.status(200) else { return [] }
        let receipt = kind.judge(answer, to: report, DestinationContractTests.context()).receipt ?? ""
        return try JSONValue.parse(Array(receipt.utf8))["left_out"]?.arrayValue?.compactMap(\.stringValue)
    }

    @Test("the receipt of text that was cut says that its beginning was sent")
    func cut() async throws {
        let kind = try Self.kind("otlp+https://c.example?payload=cut")
        for (first, left) in [(0x61, ["rest of payload"]), (0xe9, ["rest of payload", "bytes of payload"])] {
            var text = [UInt8](repeating: UInt8(ascii: "a"), count: OTLPPayload.maximumByteCount + 1)
            text[0] = UInt8(first)
            text[1] = UInt8(ascii: " ")
            let report = try Self.report(text)
            _ = try await kind.request(for: report, DestinationContractTests.context())
            #expect(try Self.leftOut(kind, report) == left)
        }
    }

    @Test("an answer is judged by what was sent, without another look at the bytes")
    func judgesWithoutBytes() async throws {
        let (text, other) = (Array("plain text\n".utf8), Array("plain text caf".utf8) + [0xe9, 0x0a])
        for (sent, later, isRepaired) in [(text, other, false), (other, text, true)] {
            let kind = try Self.kind("otlp+https://c.example?payload=cut")
            let report = try Self.report(sent)
            _ = try await kind.request(for: report, DestinationContractTests.context())
            let changed = OutgoingReport(report.stored, payload: later, deflated: [])
            guard case .answer(let answer) = TransportResult.status(200) else { continue }
            let judgement = kind.judge(answer, to: changed, DestinationContractTests.context())
            #expect(judgement.receipt?.contains("left_out") == isRepaired)
        }
    }

    @Test("as many reports are remembered as are ever under way, and no more")
    func memory() {
        let memory = OTLPMemory()
        let ids = (0...OTLPMemory.limit).map { ContentHash(of: Array("\($0)".utf8)) }
        for id in ids + ids.suffix(1) { memory.noteRepaired(id) }
        #expect(!memory.wasRepaired(ids[0]) && ids.dropFirst().allSatisfy(memory.wasRepaired))
    }

    @Test("a report whose bytes turn out to be no UTF-8 is held, and nothing of it is sent")
    func held() async throws {
        try await withSpool { harness in
            var configuration = harness.configuration()
            configuration.routing = Routing(Destination(endpoint: "otlp+https://collector.example"))
            harness.transport.answer { _ in .status(200) }
            // Its messages are text, and some of its fields are numbers in bytes.
            let id = try harness.add(CorpusFile.bytes(of: "journal.export"), named: "journal.export")
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            let record = try #require(try harness.record(id))
            #expect(record.reason == .held(.route))
            #expect(record.note?.contains("takes text in UTF-8 only") == true)
            #expect(harness.transport.sent.isEmpty)
        }
    }
}
