import Background
import HTTPTypes
import TestSupport
import Testing

/// What may go wrong between an upload in parts and its server.
@Suite("Uploads in parts, and servers with faults", .timeLimit(.minutes(10)))
struct ResumableFaultTests {
    private static let part = 100_000
    private static let byteCount = 5 * part

    /// A server written from the draft, and a sender of five parts to it.
    private func withPeers(
        _ rules: DraftRules = DraftRules(), _ body: (DraftResumableServer, inout PartSender) async throws -> Void
    ) async throws {
        try await withTransport { fixture in
            let server = try DraftResumableServer(rules)
            defer { server.stop() }
            var sender = try PartSender(
                fixture, server.url("/reports/1"), byteCount: Self.byteCount, part: Self.part)
            try await body(server, &sender)
        }
    }

    private func expectWhole(_ server: DraftResumableServer, times: Int = 1) {
        // A Bool first: the difference of two large arrays takes minutes to tell.
        let areWhole =
            server.reports.map(\.body) == Array(repeating: TransportFixture.bytes(Self.byteCount), count: times)
        #expect(areWhole, "\(server.reports.map(\.byteCount))")
        #expect(server.reports(withKey: PartSender.key).count == times)
    }

    @Test(
        "a server that does not know the draft gets the whole, and never an empty report",
        arguments: [200, 204, 405, 501])
    func unaware(optionsStatus: Int) async throws {
        var rules = DraftRules()
        rules.speaksDraft = false
        rules.ordinaryOptionsStatus = optionsStatus
        try await withPeers(rules) { server, sender in
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.map(\.method) == ["OPTIONS", "OPTIONS", "PUT"])
            #expect(sender.saved == nil)
        }
    }

    @Test("a last answer that is lost has it sent again, under the same key")
    func lostAnswer() async throws {
        try await withPeers { server, sender in
            server.inject(.loseAnswer, into: .append, from: 5)
            #expect(await sender.attempts(atMost: 3).answer?.status == 200)
            expectWhole(server, times: 2)
        }
    }

    @Test("what the application says at the end is the outcome", arguments: [201, 400, 422, 503])
    func verdict(status: Int) async throws {
        var rules = DraftRules()
        rules.application = { _ in ReportAnswer(status: status, body: Array("said".utf8)) }
        try await withPeers(rules) { server, sender in
            let answer = try #require(await sender.attempt().answer)
            #expect(answer.status == status)
            #expect(String(decoding: answer.body, as: UTF8.self) == "said")
            #expect(answer.isWholeBodySent)
            expectWhole(server)
        }
    }

    @Test("an upload that is gone is begun anew", arguments: [true, false])
    func gone(isExpired: Bool) async throws {
        try await withPeers { server, sender in
            server.inject(isExpired ? .expire : .forget, into: .append, from: 3)
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.count { $0.method == "PUT" } == 2)
        }
    }

    @Test("a server whose uploads always vanish gets the whole in the end")
    func vanishing() async throws {
        try await withPeers { server, sender in
            server.inject(.forget, into: .append, times: 100)
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.count < 12)
            #expect(server.requests.last?.method == "PUT")
        }
    }

    @Test("a resource that is not ours any more is left for another", arguments: [403, 405, 501])
    func lockedOut(status: Int) async throws {
        try await withPeers { server, sender in
            server.inject(.breakOff(afterByteCount: 10), into: .append, from: 2)
            server.inject(.status(status), into: .retrieval, times: 100)
            #expect(await sender.attempts(atMost: 3).answer?.status == 200)
            expectWhole(server)
        }
    }

    @Test("a server that does less than it says gets the whole", arguments: [405, 415, 501])
    func lessThanAnnounced(status: Int) async throws {
        try await withPeers { server, sender in
            server.inject(.status(status), into: .append)
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.last?.method == "PUT")
        }
    }

    @Test("servers that do not agree with each other end the attempt, not in a circle")
    func toAndFro() async throws {
        try await withPeers { server, sender in
            for number in stride(from: 2, to: 1_000, by: 2) {
                server.inject(.loseBytes(downTo: 0), into: .append, from: number)
            }
            #expect(await sender.attempts(atMost: 2).answer?.status == 200)
            #expect(server.requests.count < 40)
            let isWhole = server.reports.last?.body == TransportFixture.bytes(Self.byteCount)
            #expect(isWhole)
        }
    }

    @Test("a last part of which less is there than was sent is not the end")
    func shortEnd() async throws {
        try await withPeers { server, sender in
            server.inject(.status(204, headers: [("Upload-Offset", "\(Self.byteCount - 5)")]), into: .append, from: 5)
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
        }
    }

    @Test("an offset that is wrong is corrected, and bytes the server lost are sent again")
    func wrongOffset() async throws {
        try await withPeers { server, sender in
            server.inject(.claimOffset(150_000), into: .append, from: 2)
            server.inject(.loseBytes(downTo: 120_000), into: .append, from: 4)
            #expect(await sender.attempts(atMost: 3).answer?.status == 200)
            expectWhole(server)
        }
    }

    @Test("an offset beyond what we have begins anew")
    func impossibleOffset() async throws {
        try await withPeers { server, sender in
            server.inject(.breakOff(afterByteCount: 10), into: .append, from: 2)
            server.inject(.claimOffset(Self.byteCount + 1), into: .retrieval)
            #expect(await sender.attempts(atMost: 3).answer?.status == 200)
            expectWhole(server)
        }
    }

    @Test("a Location on another server is refused: no byte and no credential goes there")
    func foreignLocation() async throws {
        try await withLoopbackServer(.always(.response(200))) { foreign in
            try await withPeers { server, sender in
                server.inject(.location(foreign.url("/uploads/1")), into: .creation)
                #expect(await sender.attempt().answer?.status == 200)
                expectWhole(server)
                #expect(foreign.connectionCount == 0)
            }
        }
    }

    @Test("a part that is too large is made smaller")
    func tooLarge() async throws {
        try await withPeers { server, sender in
            server.inject(.status(413), into: .append, from: 2)
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.last?.bodyByteCount ?? .max <= 64 << 10)
        }
    }

    @Test("limits the server names are kept: of a part, of a creation, of the whole")
    func limits() async throws {
        var rules = DraftRules()
        rules.limits.maxAppendSize = 70_000
        rules.limits.minAppendSize = 10_000
        try await withPeers(rules) { server, sender in
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.allSatisfy { $0.bodyByteCount <= 70_000 })
            #expect(server.requests.first { $0.method == "PUT" }?.bodyByteCount == 70_000)
        }
        rules.limits.maxSize = Self.byteCount - 1
        try await withPeers(rules) { server, sender in
            _ = await sender.attempt()
            #expect(server.requests.map(\.method) == ["OPTIONS", "PUT"])
        }
    }

    @Test("an answer about now is the attempt's, and the next one goes on", arguments: [401, 403, 429, 500, 503])
    func later(status: Int) async throws {
        try await withPeers { server, sender in
            server.inject(.status(status, headers: [("Retry-After", "7")]), into: .append, from: 4)
            let answer = try #require(await sender.attempt().answer)
            #expect(answer.status == status)
            #expect(answer.fields[.retryAfter] == "7")
            #expect(server.uploads.map(\.offset) == [3 * Self.part])
            sender.credential = "Bearer new"
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(
                server.requests.filter { $0.method == "PATCH" }.suffix(2).map(\.bodyByteCount) == [
                    Self.part, Self.part,
                ])
            #expect(server.requests.last?.headers["Authorization"] == "Bearer new")
        }
    }

    @Test("a server that is busy for a long time does not cost what it has")
    func busy() async throws {
        try await withPeers { server, sender in
            server.inject(.status(503), into: .append, from: 4, times: 10)
            for _ in 0..<10 { #expect(await sender.attempt().answer?.status == 503) }
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
            #expect(server.requests.count { $0.method == "PUT" } == 1)
        }
    }

    @Test(
        "a server that contradicts itself for ever gets the whole in the end, and not in a circle",
        arguments: [409, 200])
    func contradiction(status: Int) async throws {
        try await withPeers { server, sender in
            server.inject(.status(status, headers: [("Upload-Offset", "0")]), into: .append, times: 1_000)
            #expect(await sender.attempt().answer?.status == 200)
            #expect(server.requests.count < 30)
            expectWhole(server)
        }
    }

    @Test("a connection that ends at the question does not keep the whole from being sent")
    func questionNotLetThrough() async throws {
        var rules = DraftRules()
        rules.speaksDraft = false
        try await withPeers(rules) { server, sender in
            server.inject(.refuse(.reset), into: .ordinary, from: 1)
            #expect(await sender.attempts(atMost: 2).answer?.status == 200)
            expectWhole(server)
        }
    }

    @Test("parts so small that they are a joke are not made")
    func tinyParts() async throws {
        for size in [0, 1, 1_000] {
            var rules = DraftRules()
            rules.limits.maxAppendSize = size
            try await withPeers(rules) { server, sender in
                _ = await sender.attempt()
                #expect(server.requests.count { $0.method == "PATCH" } == 0)
                #expect(server.requests.count < 5)
            }
        }
    }

    @Test("a server that takes parts and never answers is left, and tried anew")
    func silence() async throws {
        try await withPeers { server, sender in
            sender.answerTimeout = 1
            server.inject(.silence, into: .append, from: 2, times: 3)
            #expect(await sender.attempts(atMost: 8).answer?.status == 200)
            let isWhole = server.reports.last?.body == TransportFixture.bytes(Self.byteCount)
            #expect(isWhole)
        }
    }

    @Test(
        "a nonsensical Upload-Limit is none, and what was saved and is none is nothing",
        arguments: ["max-size=a", "?1", ""])
    func nonsense(limit: String) async throws {
        var rules = DraftRules()
        rules.uploadLimitField = limit
        try await withPeers(rules) { server, sender in
            #expect(await sender.attempt().answer?.status == 200)
            expectWhole(server)
        }
    }
}
