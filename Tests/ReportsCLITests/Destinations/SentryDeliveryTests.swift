import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Real payloads on their way into a Sentry-compatible server that others wrote.
///
/// The server answers 200 to an event that does not fit Sentry's schema, and throws it away. So what it has stored is
/// asked for in each test.
@Suite("Real payloads, from file to Sentry", .timeLimit(.minutes(5)), .needs(.bugsink))
struct SentryDeliveryTests {
    /// A minidump of Windows to which Bugsink answers 500, whenever it is sent.
    private static let refused = "test.dmp"

    @Test("each is an event that Sentry keeps as it is, with the payload as its attachment", .needs(.sentryRelay))
    func corpus() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            for file in CorpusFile.all { try tool.drop(file.bytes, as: file.name) }
            let endpoint = LocalEndpoint.sentry(server.peer.port)
            let result = try await tool.run("submit", "--json", "--endpoint", endpoint)
            #expect(result.status == 75, "\(result.output)\(result.errors)")
            #expect(try result.objects.first?.count("delivered") == 24)

            let events = try await server.sentryEvents()
            let stored = CorpusFile.all.filter { $0.name != Self.refused }
            #expect(Set(events.map(\.id)) == Set(stored.map { ContentHash.of($0.bytes).sentryEventID }))
            #expect(events.count == stored.count)
            try await expectNormal(events: try await expectAttachments(of: stored, server), tool)
            try await expectGivenUp(tool, endpoint)
            #expect(try await server.sentryEvents().contains { $0.id == Self.refusedHash.sentryEventID } == false)
        }
    }

    private static let refusedHash = ContentHash.of((try? CorpusFile.bytes(of: refused)) ?? [])

    /// Each envelope is an event and then the payload, byte for byte, to the envelope's end.
    /// - Returns: the events as they were sent, with the name of their files.
    private func expectAttachments(
        of files: [CorpusFile], _ server: JudgeServer
    ) async throws -> [(name: String, event: JSONValue)] {
        let envelopes = try await server.sentryEnvelopes()
        #expect(envelopes.compactMap(\.complaint) == [])
        var events: [(name: String, event: JSONValue)] = []
        for file in files {
            let hash = ContentHash.of(file.bytes)
            let own = envelopes.filter { $0.eventID == hash.sentryEventID }
            let envelope = try #require(own.count == 1 ? own.first : nil, "\(file.name): \(own.count)")
            #expect(envelope.items.map { $0.header["type"] } == ["event", "attachment"], "\(file.name)")
            let attachment = try #require(envelope.attachments.first, "\(file.name)")
            #expect(attachment.hash == hash.hex && attachment.endsEnvelope, "\(file.name)")
            #expect(attachment.header["filename"]?.stringValue?.hasPrefix(hash.hex.prefix(12)) == true, "\(file.name)")
            let event = try #require(envelope.items.first?.event, "\(file.name)")
            #expect(event["event_id"]?.stringValue == envelope.eventID, "\(file.name)")
            events.append((file.name, event))
        }
        return events
    }

    /// Sentry's own normaliser drops nothing of the events, and cuts nothing.
    private func expectNormal(events: [(name: String, event: JSONValue)], _ tool: ReportsTool) async throws {
        let paths = try events.enumerated().map { number, event in
            try tool.file("event-\(number).json", event.event.description)
        }
        let verdicts = try await JudgeServer.normaliserVerdicts(on: paths)
        #expect(verdicts.count == events.count)
        for (event, verdict) in zip(events, verdicts) {
            #expect(verdict.problems == [] && verdict.trimmed == [], "\(event.name): \(verdict)")
        }
    }

    /// A report that the server never takes while it takes others ends as exhausted, and stays readable.
    private func expectGivenUp(_ tool: ReportsTool, _ endpoint: String) async throws {
        let id = Self.refusedHash.hex
        for round in 1...40 where try await tool.state(of: id) != "exhausted" {
            try tool.letPass(hours: 2)
            try await tool.add("report \(round)")
            _ = try await tool.run("submit", "--endpoint", endpoint)
        }
        let words = try await tool.words(ofReport: id, submitting: ["--endpoint", endpoint])
        #expect(words.state == "exhausted" && words.report.count("last_status") == 500, "\(words)")
        #expect(words.report.count("charged") == 12, "\(words)")
        words.expect("exhausted", "failed 12 times while others were accepted", in: [\.show], exit: 0)
        #expect(ContentHash.of(try await tool.run("cat", id).stdout).hex == id)
    }

    @Test("a crash of a Swift program has its exception, its place, and the annotations as Sentry names them")
    func swiftCrash() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let name = "shopd-2740-0.0.json"
            let path = try tool.file(name, bytes: try CorpusFile.bytes(of: name))
            let annotations = ["release=shopd@2.1.0", "environment=lab", "site=berlin", "user.id=u-17"]
            let added = try await tool.run(["add", path, "--json"] + annotations.flatMap { ["--annotate", $0] })
            let id = try #require(try added.objects.first?["id"]?.stringValue)
            let result = try await tool.run("submit", "--endpoint", LocalEndpoint.sentry(server.peer.port))
            #expect(result.status == 0, "\(result.output)\(result.errors)")

            let event = try #require(try await server.sentryEvents().first)
            #expect(event.id == "ae05a4c05bfe4eaba38e002a9600beda")
            #expect(event.level == "fatal" && event.platform == "native")
            #expect(event.release == "shopd@2.1.0" && event.environment == "lab")
            #expect(event.lastFunction.hasPrefix("level3") && event.lastFile == "src/main.swift", "\(event)")
            #expect(event.event["tags"]?["site"] == "berlin" && event.event["user"]?["id"] == "u-17")
            let receipt = try #require(try await tool.show(id)["receipt"])
            #expect(receipt.description.contains(event.id), "\(receipt)")
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("\nreceipt:    200  event \(event.id)\n"), "\(shown)")
        }
    }

    @Test("a minidump is stored, as such")
    func minidumps() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            var ids: Set<String> = []
            for signal in ["6", "11"] {
                let bytes = try await JudgeServer.makeMinidump(tool.home + "/made.dmp", "--signal", signal)
                try tool.drop(bytes, as: "crash-\(signal).dmp")
                ids.insert(ContentHash.of(bytes).sentryEventID)
            }
            let result = try await tool.run("submit", "--endpoint", LocalEndpoint.sentry(server.peer.port))
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let events = try await server.sentryEvents()
            #expect(Set(events.map(\.id)) == ids && events.count == 2)
            #expect(events.allSatisfy { $0.level == "fatal" })
            let kinds = try await server.sentryEnvelopes().flatMap(\.attachments).map { $0.header["attachment_type"] }
            #expect(kinds == ["event.minidump", "event.minidump"])
        }
    }

    @Test("an answer that is lost costs a second request, and makes no second event")
    func lostAnswer() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let script = ServerScript.forwarding(to: server.peer.port) { $0.index == 0 ? .lost : .passed }
            let front = try LoopbackServer(script)
            defer { front.stop() }
            let endpoint = LocalEndpoint.sentry(front.port)
            let words = try await tool.words(at: endpoint)
            words.expect("waiting(unreachable)", "Connection reset by peer")
            #expect(try await server.sentryEvents().map(\.id) == [ContentHash.of("hello").sentryEventID])
            try tool.letPass(hours: 1)
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            #expect(try await server.sentryEvents().map(\.id) == [ContentHash.of("hello").sentryEventID])
            let envelopes = try await server.sentryEnvelopes()
            #expect(envelopes.count == 2 && Set(envelopes.map(\.eventID)).count == 1)
        }
    }

    @Test("a payload that is too large for Sentry waits until the settings say that the event may go without it")
    func tooLargeForAnAttachment() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let endpoint = LocalEndpoint.sentry(server.peer.port)
            let path = try tool.file("large.core", "\u{7f}ELF")
            try #require(truncate(path, 21 << 20) == 0)
            let id = try #require(try await tool.run("add", path, "--json").objects.first?["id"]?.stringValue)
            let words = try await tool.words(ofReport: id, submitting: ["--endpoint", endpoint])
            let why = "takes no attachment of 21.0 MiB; with attachments=omit in its endpoint the event goes without it"
            words.expect("held(route)", why, in: [\.show, \.list], exit: 0)
            #expect(try await server.sentryEnvelopes().count == 0)

            _ = try await tool.run("retry", id)
            let without = LocalEndpoint.sentry(server.peer.port, query: "?attachments=omit")
            #expect(try await tool.run("submit", "--endpoint", without).status == 0)
            let report = try await tool.show(id)
            #expect(report["receipt"]?["left_out"] == ["attachment"], "\(report)")
            let envelopes = try await server.sentryEnvelopes()
            #expect(envelopes.map { $0.items.map { $0.header["type"] } } == [["event"]])
            #expect(try await server.sentryEvents().count == 1)
        }
    }
}

extension ContentHash {
    /// The id of the event that Sentry gets for a report: 122 bits of the hash, in the form of a random UUID.
    var sentryEventID: String {
        var digits = Array(hex.prefix(32))
        digits[12] = "4"
        let variant = (UInt8(String(digits[16]), radix: 16) ?? 0) & 0x3 | 0x8
        digits[16] = Character(String(variant, radix: 16))
        return String(digits)
    }
}
