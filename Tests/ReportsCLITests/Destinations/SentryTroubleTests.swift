import Diagnosis
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// What a person is told when Sentry does not take reports.
@Suite("A Sentry that takes no reports", .timeLimit(.minutes(5)))
struct SentryTroubleTests {
    @Test("a key that it does not know, a project that there is not, a path that is not Sentry's", .needs(.bugsink))
    func wrongPlaces() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let (port, wrong) = (server.peer.port, "0badc0de0badc0de0badc0de0badc0de")
            let key = try await tool.words(of: "one", at: LocalEndpoint.sentry(port, key: wrong))
            let words = "the server answered 403: Project not found or key incorrect"
            key.expect("held(forbidden)", words, in: [\.show])
            key.expect("held(forbidden)", ": change the credentials or ask its operator", in: [\.show])
            key.expect("held(forbidden)", "the server answered 403", in: [\.status])
            #expect(!key.description.contains(wrong))
            let project = try await tool.words(of: "two", at: LocalEndpoint.sentry(port, project: "77"))
            project.expect("held(forbidden)", "the server answered 403", in: [\.status])
            let path = try await tool.words(of: "three", at: LocalEndpoint.sentry(port, project: "x/1"))
            let answer = "the server answered 404: there is no such project, or no Sentry server"
            path.expect("held(destination)", answer)

            // With the right endpoint all that is held goes out.
            _ = try await tool.run("retry", "--all")
            let mended = try await tool.run("submit", "--endpoint", LocalEndpoint.sentry(port))
            #expect(mended.status == 0, "\(mended.output)\(mended.errors)")
            #expect(try await server.sentryEvents().count == 3)
        }
    }

    @Test("a quota: the rest waits, is charged nothing, and goes out once the quota is free again", .needs(.bugsink))
    func quota() async throws {
        try await withTool(judge: .bugsink, "--quota", "2") { tool, server in
            let endpoint = LocalEndpoint.sentry(server.peer.port)
            for number in 1...3 { try await tool.add("report \(number)") }
            #expect(try await tool.run("submit", "--endpoint", endpoint, "--max-concurrent", "1").status == 75)
            let words = try await tool.words(of: "one more", at: endpoint)
            words.expect("queued", "the server answered 429", in: [\.status])
            let stored = try await server.sentryEvents().count
            #expect(stored < 4)
            #expect(try await tool.objects("list").allSatisfy { $0.count("charged") ?? 0 == 0 })
            // Nobody can set its clock: it forgets the quota instead, until it has stored one more event.
            try await server.resetQuota()
            try tool.letPass(hours: 24)
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 75)
            #expect(try await server.sentryEvents().count > stored)
        }
    }

    /// Headers that end a 429 after so many seconds, and those that say nothing of events like ours.
    private static let limits: [(headers: [(name: String, value: String)], seconds: ClosedRange<Int64>)] = [
        ([("X-Sentry-Rate-Limits", "120:error:key, 2700:transaction:organization")], 110...181),
        ([("X-Sentry-Rate-Limits", "300::organization"), ("Retry-After", "9")], 290...451),
        ([("X-Sentry-Rate-Limits", "2700:transaction:organization")], 50...91),
        ([("Retry-After", "240")], 230...361),
        ([], 50...91),
    ]

    @Test("a 429 closes the gate of the key for as long as Sentry says of errors", arguments: limits.indices)
    func rateLimits(_ index: Int) async throws {
        let (headers, seconds) = Self.limits[index]
        let script = ServerScript { request in
            request.index == 0 ? .response(429, headers: headers) : .response(200, text: "{\"id\":\"0\"}")
        }
        try await withTool(server: script) { tool, server in
            let start = Int64(Date().timeIntervalSince1970)
            let words = try await tool.words(at: LocalEndpoint.sentry(server.port))
            words.expect("waiting(retry-after)", "429")
            let due = try #require(words.report["next_attempt_at"]?.stringValue.flatMap(RFC3339.milliseconds))
            #expect(seconds.contains(due / 1_000 - start), "\(due / 1_000 - start): \(words)")
            #expect(words.report.count("charged") == 0, "\(words)")
            // Another report with the same key waits as well; another key of the same server does not.
            _ = try await tool.add("second")
            #expect(try await tool.run("submit", "--endpoint", LocalEndpoint.sentry(server.port)).status == 75)
            #expect(server.requests.count == 1)
            let other = LocalEndpoint.sentry(server.port, key: Judge.sentryKeys[1], project: "2")
            _ = try await tool.run("submit", "--endpoint", other)
            #expect(server.requests.count > 1)
        }
    }

    @Test("a limit that comes with a 200 is obeyed, and one for transactions is not")
    func limitWithSuccess() async throws {
        for (limit, isObeyed) in [("60:error:key", true), ("60:transaction;span:key", false)] {
            let answer = Answer.response(200, headers: [("X-Sentry-Rate-Limits", limit)], text: "{\"id\":\"0\"}")
            try await withTool(server: .always(answer)) { tool, server in
                for number in 1...2 { try await tool.add("report \(number)") }
                let result = try await tool.run(
                    "submit", "--endpoint", LocalEndpoint.sentry(server.port), "--max-concurrent", "1")
                #expect(result.status == (isObeyed ? 75 : 0), "\(limit): \(result.output)\(result.errors)")
                #expect(server.requests.count == (isObeyed ? 1 : 2), "\(limit)")
            }
        }
    }

    @Test("too large for the server: parked; without the attachment where the settings allow that", .needs(.bugsink))
    func tooLarge() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let script = ServerScript.forwarding(to: server.peer.port) { request in
                request.body.count > 2_000 ? .replaced(.response(413, text: "{\"detail\":\"too large\"}")) : .passed
            }
            let front = try LoopbackServer(script)
            defer { front.stop() }
            // Hardly any smaller when compressed.
            var generator = SeededGenerator(seed: 1)
            let letters = UInt8(ascii: "0")...UInt8(ascii: "z")
            let noise = (0..<9_000).map { _ in UInt8.random(in: letters, using: &generator) }
            let text = String(decoding: noise, as: UTF8.self)
            let words = try await tool.words(of: text, at: LocalEndpoint.sentry(front.port))
            let advice = "too large for the server (413): raise the limit there"
            words.expect("rejected", advice, in: [\.show, \.list], exit: 65)
            words.expect("rejected", "the server answered 413: too large for it: too large", in: [\.status], exit: 65)
            #expect(try await tool.run("cat", words.id).output == text)
            let without = LocalEndpoint.sentry(front.port, query: "?attachments=omit")
            _ = try await tool.run("retry", words.id)
            let result = try await tool.run("submit", "--endpoint", without)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(try await server.sentryEvents().count == 1)
            #expect(try await tool.show(words.id)["receipt"]?["left_out"] == ["attachment"])
        }
    }

    @Test("a judge that goes and comes back gets what is left, and nothing twice", .needs(.bugsink))
    func restart() async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let endpoint = LocalEndpoint.sentry(server.peer.port)
            for number in 1...3 { try await tool.add("report \(number)") }
            #expect(try await tool.run("submit", "--endpoint", endpoint).status == 0)
            await server.peer.end()
            for number in 2...5 { try await tool.add("report \(number)") }
            let words = try await tool.words(at: endpoint)
            words.expect("waiting(unreachable)", "connection failed: Connection refused")
            try await server.peer.startAgain()
            let result = try await tool.run("submit", "--endpoint", endpoint)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            #expect(try await server.sentryEvents().count == 6)
            #expect(try await server.sentryEnvelopes().count == 6)
        }
    }
}
