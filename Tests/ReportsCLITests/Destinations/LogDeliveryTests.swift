import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Real payloads on their way to receivers of OTLP logs, which decode with code of their own.
@Suite("Real payloads, from file to OpenTelemetry", .timeLimit(.minutes(5)), .needs(.otlp))
struct LogDeliveryTests {
    /// Larger than 256 KiB, or no text.
    private static let held: Set<String> = [
        "strace-shopd.log", "test.dmp", "core", "journal.export", "shopd-4711-0.0.json.gz",
    ]

    @Test("each that fits is one record with its payload, to the receiver itself")
    func otlp() async throws {
        try await withTool(judge: .otlp) { try await expectAll($0, $1) }
    }

    @Test("and through rotel", .needs(.rotel))
    func rotel() async throws {
        try await withTool(judge: .rotel) { try await expectAll($0, $1) }
    }

    private func expectAll(_ tool: ReportsTool, _ server: JudgeServer) async throws {
        for file in CorpusFile.all { try tool.drop(file.bytes, as: file.name) }
        let endpoint = LocalEndpoint.otlp(server.peer.port)
        let result = try await tool.run("submit", "--json", "--endpoint", endpoint)
        #expect(try result.objects.first?.count("delivered") == 25 - Int64(Self.held.count), "\(result.output)")
        // rotel passes records on after its answer.
        try await poll { try server.received().count >= 25 - Self.held.count }
        try await expectRecords(of: CorpusFile.all.filter { !Self.held.contains($0.name) }, tool, server)
        for name in Self.held { try await expectHeld(name, tool) }

        // The settings may say that the payload is cut, or left out; the receipt says that it was.
        let before = try server.received().count
        for (query, name, left) in [
            ("?payload=cut", "strace-shopd.log", "rest of payload"), ("?payload=omit", "core", "payload"),
        ] {
            let id = ContentHash.of(try CorpusFile.bytes(of: name)).hex
            _ = try await tool.run("retry", id)
            _ = try await tool.run("submit", "--endpoint", LocalEndpoint.otlp(server.peer.port, query: query))
            let report = try await tool.show(id)
            #expect(report["state"] == "delivered", "\(report)")
            #expect(report["receipt"]?["left_out"]?.arrayValue?.map(\.stringValue) == [left], "\(report)")
        }
        try await poll { try server.received().count >= before + 2 }
        let records = try server.received()
        #expect(records.allSatisfy { $0.count("status") == 200 && $0["problems"] == [] }, "\(records)")
        try expectCut(records)
    }

    private func expectRecords(of files: [CorpusFile], _ tool: ReportsTool, _ server: JudgeServer) async throws {
        let records = try server.received()
        #expect(records.count == files.count)
        let reports = try await tool.objects("list")
        for file in files {
            let id = ContentHash.of(file.bytes).hex
            let record = try #require(records.first { $0.recordID == id }, "\(file.name)")
            let report = try #require(reports.first { $0["id"]?.stringValue == id }, "\(file.name)")
            #expect(record.count("status") == 200 && record["problems"] == [], "\(file.name): \(record)")
            let attributes = try #require(record["attributes"], "\(file.name)")
            let payload = Array((attributes["report.payload"]?.stringValue ?? "").utf8)
            #expect(payload == file.bytes, "\(file.name)")
            #expect(attributes["report.payload.truncated"] == nil, "\(file.name)")
            #expect(attributes["report.kind"] == report["kind"] && attributes["report.format"] == report["format"])
            #expect((record["event_name"] == "app.crash") == (report["kind"] == "crash"), "\(file.name): \(record)")
            #expect(!record.description.contains("\"\(file.name)\""), "\(file.name)")
        }
    }

    private func expectHeld(_ name: String, _ tool: ReportsTool) async throws {
        let report = try await tool.show(ContentHash.of(try CorpusFile.bytes(of: name)).hex)
        #expect(report["state"] == "held" && report["reason"] == "route", "\(name): \(report)")
        #expect(report["note"]?.stringValue?.contains("payload=") == true, "\(name): \(report)")
    }

    /// The first 256 KiB of the large text have arrived, and of the core nothing but its size and hash.
    private func expectCut(_ records: [JSONValue]) throws {
        let text = try CorpusFile.bytes(of: "strace-shopd.log")
        let cut = try #require(records.first { $0.recordID == ContentHash.of(text).hex }?["attributes"])
        let payload = Array((cut["report.payload"]?.stringValue ?? "").utf8)
        #expect(payload.count > 250 << 10 && payload.count <= 256 << 10 && text.starts(with: payload))
        #expect(cut["report.payload.truncated"] == true && cut.count("report.size") == Int64(text.count))
        let core = try CorpusFile.bytes(of: "core")
        let omitted = try #require(records.first { $0.recordID == ContentHash.of(core).hex }?["attributes"])
        #expect(omitted["report.payload"] == nil && omitted.count("report.size") == Int64(core.count), "\(omitted)")
    }

    @Test("what a receiver answers decides, and only what the specification says is sent again")
    func answers() async throws {
        // ExportLogsServiceResponse with partial_success: one record was rejected, "too old".
        let partial: [UInt8] = [0x0a, 0x0b, 0x08, 0x01, 0x12, 0x07] + Array("too old".utf8)
        let protobuf = [(name: "Content-Type", value: "application/x-protobuf")]
        for (answer, state, text, exit) in [
            (.response(200, headers: protobuf, body: partial), "rejected", "too old", 65),
            (.response(400, text: "no"), "rejected", "400", 65), (.response(500), "rejected", "500", 65),
            (.response(401), "held(auth)", "401", 75), (.response(404), "held(destination)", "404", 75),
            (.response(503), "waiting(retry-after)", "503", 75),
            (.response(429, headers: [("Retry-After", "60")]), "waiting(retry-after)", "429", 75),
        ] as [(Answer, String, String, Int32)] {
            try await withTool(server: .always(answer)) { tool, server in
                let words = try await tool.words(at: LocalEndpoint.otlp(server.port))
                words.expect(state, text, in: [\.status], exit: exit)
                #expect(server.requests.map(\.target) == ["/v1/logs"])
            }
        }
    }

    @Test("an answer that is lost makes a second record, with the same uid")
    func lostAnswer() async throws {
        try await withTool(judge: .otlp) { tool, server in
            let script = ServerScript.forwarding(to: server.peer.port) { $0.index == 0 ? .lost : .passed }
            let front = try LoopbackServer(script)
            defer { front.stop() }
            let endpoint = LocalEndpoint.otlp(front.port)
            let words = try await tool.words(at: endpoint)
            words.expect("waiting(unreachable)", "Connection reset by peer", in: [\.show, \.status])
            try tool.letPass(hours: 1)
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            #expect(try server.received().map(\.recordID) == [words.id, words.id])
        }
    }

    @Test("a receiver that goes and comes back gets what is left, once")
    func restart() async throws {
        try await withTool(judge: .otlp) { tool, server in
            let endpoint = LocalEndpoint.otlp(server.peer.port)
            for number in 1...2 { try await tool.add("report \(number)") }
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            await server.peer.end()
            for number in 2...4 { try await tool.add("report \(number)") }
            let words = try await tool.words(at: endpoint)
            words.expect("waiting(unreachable)", "connection failed: Connection refused", in: [\.show, \.status])
            try await server.peer.startAgain()
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            let records = try server.received().map(\.recordID)
            #expect(records.count == 5 && Set(records).count == 5)
        }
    }
}

extension JSONValue {
    /// The id of the report that a received log record names.
    var recordID: String { self["attributes"]?["log.record.uid"]?.stringValue ?? "" }
}
