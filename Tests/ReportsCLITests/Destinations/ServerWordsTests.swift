import DurableIO
import Foundation
import TestSupport
import Testing

/// What a server says of a report reaches the person who asks, in plain text as well as in JSON.
@Suite("A server's own words", .timeLimit(.minutes(2)))
struct ServerWordsTests {
    @Test("show has Sentry's reason for each attempt beside the status")
    func reason() async throws {
        try await withTool(server: .always(.response(400, text: #"{"detail":"bad thing"}"#))) { tool, server in
            let words = try await tool.words(at: LocalEndpoint.sentry(server.port))
            words.expect("rejected", "Z  400: bad thing\n", in: [\.show], exit: 65)
        }
    }

    @Test("an attempt that came to a bare status is told by it alone")
    func bareStatus() async throws {
        try await withTool(server: .always(.response(400))) { tool, server in
            let words = try await tool.words(at: server.url("/{id}"))
            words.expect("rejected", "Z  400\n", in: [\.show], exit: 65)
        }
    }

    @Test("submit says why a report is held that its server alone refuses")
    func refused() async throws {
        try await withTool(server: .always(.response(403))) { tool, server in
            let words = try await tool.words(at: server.url("/{id}"))
            let origin = "http://127.0.0.1:\(server.port)"
            words.expect("held(forbidden)", "\(origin): forbidden: the server answered 403\n", in: [\.submit])
        }
        try await withTool(server: .always(.response(200))) { tool, server in
            let words = try await tool.words(at: server.url("/{id}"), "--acknowledgement", "header:X-Id")
            let text = ": acknowledgement: the server answered 200 without the proof of receipt\n"
            words.expect("held(acknowledgement)", text, in: [\.submit])
        }
    }

    // MARK: - A limit of attachments

    private static func limited(_ limit: String) -> ServerScript {
        .always(.response(200, headers: [("X-Sentry-Rate-Limits", limit)], text: #"{"id":"abc123"}"#))
    }

    @Test("a report whose attachment Sentry limits says so, and the next ones wait, unless attachments may be left out")
    func limitedAttachments() async throws {
        for (query, limit, isTold, isObeyed) in [
            ("", "60:attachment:organization", true, true),
            ("", "60:transaction;attachment_item:organization", false, false),
            ("", "60:transaction;attachment:organization, 9:span:key", true, true),
            ("?attachments=omit", "60:attachment:organization", true, false),
            ("?attachments=none", "60:attachment:organization", false, false),
        ] {
            try await withTool(server: Self.limited(limit)) { tool, server in
                let ids = [try await tool.add("one"), try await tool.add("two")]
                let endpoint = LocalEndpoint.sentry(server.port, query: query)
                let result = try await tool.run("submit", "--endpoint", endpoint, "--max-concurrent", "1")
                #expect(result.status == (isObeyed ? 75 : 0), "\(query) \(limit): \(result.output)")
                #expect(server.requests.count == (isObeyed ? 1 : 2), "\(query) \(limit)")
                let delivered = try await tool.objects("list", "--state", "delivered").first?["id"]?.stringValue
                let shown = try await tool.run("show", delivered ?? ids[0]).output
                let words = "receipt:    200  event abc123  the server limits attachments now"
                #expect(shown.contains(words) == isTold, "\(query) \(limit): \(shown)")
            }
        }
    }

    // MARK: - A server that may have the report already

    @Test("of a minidump that rests for a day, show promises no try at a submit")
    func resting() async throws {
        try await withTool(server: .always(.response(200, text: "thank you"))) { tool, server in
            try tool.drop(try CorpusFile.bytes(of: "test.dmp"), as: "test.dmp")
            let endpoint = LocalEndpoint.minidump(server.port)
            for _ in 1...3 { #expect(try await tool.run("submit", "--endpoint", endpoint).status == 75) }
            #expect(server.requests.count == 1)
            let id = try #require(try await tool.objects("list").first?["id"]?.stringValue)
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("\nstate:      held, acknowledgement\n"), "\(shown)")
            #expect(!shown.contains("each submit"), "\(shown)")
            #expect(shown.contains("; it is tried again from 20"), "\(shown)")
            // Its rest is over.
            try tool.letPass(hours: 25)
            #expect(try await tool.run("show", id).output.contains("one report is tried at each submit"))
            _ = try await tool.run("submit", "--endpoint", endpoint)
            #expect(server.requests.count == 2)
        }
    }
}
