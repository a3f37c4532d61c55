import Background
import Digests
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@testable import Reports

/// What the engine relies on in every kind of destination.
@Suite("The contract of all kinds of destinations", .timeLimit(.minutes(5)))
struct DestinationContractTests {
    private static let wall: Int64 = 1_790_000_000_000

    static func report(
        _ text: String = "crash", format: String = "text", annotations: [String: String] = [:]
    ) throws -> OutgoingReport {
        try report(Array(text.utf8), format: format, annotations: annotations)
    }

    static func report(
        _ payload: [UInt8], format: String, contentType: String = "text/plain", kind: ReportKind = .crash,
        annotations: [String: String] = [:]
    ) throws -> OutgoingReport {
        let properties = ReportProperties(
            kind: kind, from: .given, format: format, contentType: contentType, name: Array("core.txt".utf8),
            collectedAt: wall, annotations: annotations, summary: "a crash")
        let deflated = Array(repeating: UInt8(1), count: 20)
        let stored = StoredReport(
            id: ContentHash(of: payload), properties: properties, size: UInt64(payload.count),
            wireSize: UInt64(WireForm.prefix.count + deflated.count),
            wireHash: ContentHash(of: WireForm.prefix + deflated), headerByteCount: 0)
        return OutgoingReport(stored, payload: payload, deflated: deflated)
    }

    static func report(of subject: ContractSubject) throws -> OutgoingReport {
        try report(subject.payload, format: subject.format)
    }

    /// What would be sent.
    static func bytes(of body: TransferBody) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try body.readInPieces(through: POSIXFileSystem()) { bytes += $0 }
        return bytes
    }

    static func context(_ changes: Change...) -> AttemptContext {
        var context = AttemptContext(
            wall: wall, host: "box", side: ScriptedTransport(clock: ManualClock()) { _ in .refused })
        context.changes = changes
        return context
    }

    @Test("the name of a gate and the endpoint hold no secret", arguments: ContractSubject.all)
    func secrets(subject: ContractSubject) throws {
        let kind = try subject.destination().kind()
        for secret in subject.secrets {
            #expect(!kind.gateKey.contains(secret))
            #expect(!kind.endpoint.withoutQuery.contains(secret))
        }
        #expect(kind.gateKey.hasPrefix(kind.endpoint.origin))
    }

    @Test(
        "a request says its length, frames nothing by itself, and never names the file", arguments: ContractSubject.all)
    func request(subject: ContractSubject) async throws {
        for encoding in [nil] + subject.encodings {
            var destination = subject.destination()
            destination.encoding = encoding
            let report = try Self.report(of: subject)
            let request = try await destination.kind().request(for: report, Self.context())
            let body = try #require(request.body)
            if subject.sendsBareReports {
                #expect(body.byteCount == (encoding == .identity ? report.stored.size : report.stored.wireSize))
            }
            #expect(try Self.bytes(of: body).count == Int(body.byteCount))
            #expect(request.fields[.contentType]?.isEmpty == false)
            for name in ["Transfer-Encoding", "Content-Length", "Expect", "Connection"] {
                #expect(HTTPField.Name(name).flatMap { request.fields[$0] } == nil, "\(name)")
            }
            let head = request.endpoint.description + request.fields.map { $0.value }.joined()
            #expect(!head.contains("core.txt"))
        }
    }

    @Test("a form that it cannot send in is refused in words that say what to write", arguments: ContractSubject.all)
    func refusedForms(subject: ContractSubject) throws {
        for encoding in ReportEncoding.all where !subject.encodings.contains(encoding) {
            var destination = subject.destination()
            destination.encoding = encoding
            let error = #expect(throws: ReportsError.self) { try destination.kind() }
            #expect(error?.code == .badConfiguration)
            #expect(error?.message.contains("encoding") == true)
        }
    }

    @Test("the address of a report is the same at each attempt", arguments: ContractSubject.all)
    func address(subject: ContractSubject) async throws {
        let kind = try subject.destination().kind()
        let report = try Self.report(of: subject)
        let first = try await kind.request(for: report, Self.context())
        var later = Self.context()
        later.wall += 40 * 86_400_000
        let second = try await kind.request(for: report, later)
        #expect(first.endpoint == second.endpoint)
        #expect(first.endpoint.path.contains(report.stored.id.hex) == subject.sendsBareReports)
    }

    private static let bodies: [[UInt8]] = [
        [], Array("<Error><Code>NoSuchBucket</Code></Error>".utf8), Array("<Code>".utf8),
        Array("<Code>PreconditionFailed</Code>".utf8), Array("{\"id\":\"1\"}".utf8),
        Array("\u{0}\u{1b}[31m<Code>\u{7}</Code>".utf8),
        Array(repeating: 0xff, count: 4_000), Array(repeating: UInt8(ascii: "<"), count: 1 << 20),
        Array(
            ("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><Error><Code>&b;</Code></Error>")
                .utf8),
    ]

    @Test(
        "every answer has a meaning, and only a 2xx, or what the kind's answers say, is a delivery",
        arguments: ContractSubject.all)
    func total(subject: ContractSubject) throws {
        let kind = try subject.destination().kind()
        let report = try Self.report(of: subject)
        let deliveries = Set(ScriptedAnswer.of(subject.name).filter { $0.verdict.hasPrefix("delivered") }.map(\.status))
        for status in 100...599 {
            for body in Self.bodies {
                var answer = TransferAnswer(
                    status: status, fields: [:], body: body, bytesSent: 5, isWholeBodySent: true, isLoopback: false)
                answer.fields[.date] = "garbage"
                let judgement = kind.judge(answer, to: report, Self.context())
                let isDelivery = judgement.disposition == .delivered
                #expect(!isDelivery || (200...299).contains(status) || deliveries.contains(status), "\(status)")
                #expect(isDelivery == (judgement.note == nil), "\(status)")
                if let note = judgement.note {
                    #expect(note.utf8.count <= 256, "\(note)")
                    #expect(note.unicodeScalars.allSatisfy { !$0.steersTerminals })
                }
                #expect(judgement.receipt.map { $0.utf8.count <= 8 << 10 } ?? true)
            }
        }
    }

    @Test("answers that ask for a change for ever are obeyed once each", arguments: ContractSubject.all)
    func again(subject: ContractSubject) async throws {
        let asking = ScriptedAnswer.of(subject.name).filter { $0.verdict.hasPrefix("again") }
        guard !asking.isEmpty else { return }
        try await withSpool { harness in
            var configuration = harness.configuration()
            configuration.routing = Routing(subject.destination())
            harness.transport.answer { asking[$0.index % asking.count].result(wall: $0.wall) }
            let id = try harness.add(subject.payload, annotations: ["service": "shop"])
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            let count = harness.transport.sent.count
            #expect((2...asking.count + 1).contains(count), "\(count) requests")
            #expect(try harness.record(id)?.state != .delivered)
            #expect(try harness.record(id)?.attempts == 1)
        }
    }
}
