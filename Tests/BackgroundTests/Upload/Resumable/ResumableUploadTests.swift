import Background
import HTTPTypes
import TestSupport
import Testing

/// Uploads in parts over the real transport, to a server of others (interop version 6) and to one written from the
/// latest draft (version 8).
@Suite("Uploads in parts", .timeLimit(.minutes(10)))
struct ResumableUploadTests {
    enum Peer: CaseIterable, Sendable {
        case draft, nio

        func start() throws -> any RecordingServer {
            switch self {
            case .draft: try DraftResumableServer()
            case .nio: try NIOResumableServer()
            }
        }
    }

    private static let part = 100_000

    @Test(
        "all of it arrives, once, in parts that are not too large", arguments: Peer.allCases,
        [part + 1, 2 * part, 3 * part - 1, 7 * part + 3])
    func whole(peer: Peer, byteCount: Int) async throws {
        try await withTransport { fixture in
            let server = try peer.start()
            defer { server.stop() }
            var sender = try PartSender(fixture, server.url("/reports/1"), byteCount: byteCount, part: Self.part)
            let answer = try #require(await sender.attempt().answer)
            #expect(answer.status == 200)
            #expect(answer.isWholeBodySent)
            #expect(answer.bytesSent == UInt64(byteCount))
            let isWhole = server.reports.map(\.body) == [TransportFixture.bytes(byteCount)]
            #expect(isWhole)
            let report = try #require(server.reports.first)
            #expect(report.method == "PUT" && report.target == "/reports/1")
            #expect(report.headers["Idempotency-Key"] == PartSender.key)
            #expect(report.headers["Content-Type"] == "text/plain")
            let parts = server.requests.filter { $0.method == "PATCH" }
            #expect(parts.allSatisfy { $0.bodyByteCount <= Self.part })
            #expect(parts.count == (byteCount + Self.part - 1) / Self.part)
            #expect(parts.allSatisfy { $0.headers["Authorization"] == PartSender.credential })
            #expect(server.requests.allSatisfy { $0.method != "HEAD" })
        }
    }

    @Test("a body that is no larger than a part goes whole, and nobody is asked", arguments: Peer.allCases)
    func small(peer: Peer) async throws {
        try await withTransport { fixture in
            let server = try peer.start()
            defer { server.stop() }
            var sender = try PartSender(fixture, server.url("/reports/1"), byteCount: Self.part, part: Self.part)
            #expect(await sender.attempt().answer?.status == 200)
            #expect(server.requests.map(\.method) == ["PUT"])
        }
    }

    /// In the head of some request, in a part, at its last byte; of what the server says: its first byte.
    static let cuts: [ProxyCourse] =
        [60, 400, 900, 1_500, 60_000, 150_000, 250_000, 399_000].map { .cut(.toServer, after: $0) }
        + [0, 100, 350, 600, 900, 1_200].map { ProxyCourse().cutting(.toClient, beyond: $0) }
        + [.cut(.toServer, after: 180_000, by: .vanish), .cut(.toServer, after: 180_000, by: .finish)]

    @Test("a cut anywhere costs what was not acknowledged", arguments: Peer.allCases, cuts.indices)
    func cut(peer: Peer, index: Int) async throws {
        try await withTransport { fixture in
            let server = try peer.start()
            defer { server.stop() }
            let proxy = try CuttingProxy(to: server.port, courses: [Self.cuts[index], Self.cuts[index]])
            defer { proxy.stop() }
            if let server = server as? NIOResumableServer { try server.restart(origin: proxy.url("")) }
            let byteCount = 4 * Self.part
            var sender = try PartSender(fixture, proxy.url("/reports/1"), byteCount: byteCount, part: Self.part)
            let outcome = await sender.attempts(atMost: 12)
            #expect(outcome.answer?.status == 200, "\(outcome)")
            // Twice only when the server had all and its answer was lost, which only it can tell.
            let reports = server.reports
            #expect(!reports.isEmpty && reports.count <= 2)
            for report in reports {
                let isWhole = report.body == TransportFixture.bytes(byteCount)
                #expect(isWhole)
                #expect(report.headers["Idempotency-Key"] == PartSender.key)
            }
        }
    }

    @Test("a server that has forgotten the upload gets it anew, under the same key", arguments: Peer.allCases)
    func restart(peer: Peer) async throws {
        try await withTransport { fixture in
            let server = try peer.start()
            defer { server.stop() }
            let proxy = try CuttingProxy(to: server.port, courses: [.cut(.toServer, after: 250_000)])
            defer { proxy.stop() }
            if let server = server as? NIOResumableServer { try server.restart(origin: proxy.url("")) }
            var sender = try PartSender(fixture, proxy.url("/reports/1"), byteCount: 4 * Self.part, part: Self.part)
            sender.stopsAfterProgress = 2
            _ = await sender.attempt()
            #expect(sender.saved != nil)
            if let server = server as? NIOResumableServer { try server.restart(origin: proxy.url("")) }
            if let server = server as? DraftResumableServer { try server.restart(losingState: true) }
            sender.stopsAfterProgress = nil
            #expect(await sender.attempts(atMost: 6).answer?.status == 200)
            #expect(server.reports(withKey: PartSender.key).map(\.byteCount) == [4 * Self.part])
        }
    }

    @Test("an attempt of another life goes on where the server is")
    func nextLife() async throws {
        try await withTransport { fixture in
            let server = try DraftResumableServer()
            defer { server.stop() }
            var sender = try PartSender(fixture, server.url("/reports/1"), byteCount: 10 * Self.part, part: Self.part)
            sender.stopsAfterProgress = 6
            _ = await sender.attempt()
            let sent = server.requests.reduce(0) { $0 + $1.bodyByteCount }
            #expect((5 * Self.part...7 * Self.part).contains(sent))
            sender.stopsAfterProgress = nil
            #expect(await sender.attempt().answer?.status == 200)
            #expect(server.reports.map(\.byteCount) == [10 * Self.part])
            #expect(server.requests.reduce(0) { $0 + $1.bodyByteCount } <= 11 * Self.part)
            #expect(server.requests.count { $0.method == "OPTIONS" } == 1)
        }
    }

    @Test("progress towards another address is not gone on with")
    func otherAddress() async throws {
        try await withTransport { fixture in
            let server = try DraftResumableServer()
            defer { server.stop() }
            var sender = try PartSender(fixture, server.url("/reports/1"), byteCount: 4 * Self.part, part: Self.part)
            sender.stopsAfterProgress = 3
            _ = await sender.attempt()
            sender.url = server.url("/reports/2")
            sender.stopsAfterProgress = nil
            #expect(await sender.attempt().answer?.status == 200)
            #expect(server.reports.map(\.target) == ["/reports/2"])
        }
    }
}

/// A body sent in parts, over as many attempts as it takes; what the ledger would keep is kept here.
struct PartSender {
    static let key = "\"the-key\""
    static let credential = "Bearer of-the-test"

    private struct Enough: Error {}

    let fixture: TransportFixture
    var url: String
    let byteCount: Int
    let part: Int
    /// Sent instead of a file of `byteCount` bytes.
    var body: TransferBody?
    var credential = Self.credential
    var answerTimeout: Int64 = 10
    /// The ledger fails at its n-th write, as when the process dies there.
    var stopsAfterProgress: Int?
    private(set) var saved: String?

    init(_ fixture: TransportFixture, _ url: String, byteCount: Int, part: Int) throws {
        self.fixture = fixture
        self.url = url
        self.byteCount = byteCount
        self.part = part
        _ = try fixture.request(url, byteCount: byteCount)
    }

    mutating func attempt() async -> TransportResult {
        guard var request = try? fixture.request(url, byteCount: byteCount, answerTimeout: answerTimeout),
            let key = HTTPField.Name("Idempotency-Key")
        else { return .noAnswer(.unsendable("the test's own URL")) }
        if let body { request.body = body }
        request.fields[key] = Self.key
        request.fields[.authorization] = credential
        let kept = Monitor(saved)
        let writes = Monitor(0)
        let limit = stopsAfterProgress
        let upload = ResumableUpload(
            request, saved: saved, over: fixture.transport, partSize: UInt64(part),
            keep: { progress, _ in
                let count = writes.withLock { count in
                    count += 1
                    return count
                }
                if let limit, count > limit { throw Enough() }
                kept.withLock { $0 = progress }
            })
        guard var upload else { return await fixture.transport.send(request) }
        let outcome = await upload.run()
        saved = kept.value
        return outcome
    }

    /// Until there is an answer.
    mutating func attempts(atMost limit: Int) async -> TransportResult {
        var outcome = await attempt()
        for _ in 1..<limit {
            if outcome.answer != nil { break }
            outcome = await attempt()
        }
        return outcome
    }
}
