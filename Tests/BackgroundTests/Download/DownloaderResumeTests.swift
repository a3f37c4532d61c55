import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct DownloaderResumeTests {
    private static let size = 300_000
    private static let cut = 100_000

    /// Serves a content whose first answer is cut off, and gives the requests that were made until it had come whole.
    private func requests(
        _ first: ServedContent, then second: ServedContent? = nil, relaunching: Bool = false
    ) async throws -> [ReceivedRequest] {
        let second = second ?? first
        var requests: [ReceivedRequest] = []
        try await withDownloads { downloads in
            let cut = Cut(after: Self.cut)
            let script = ServerScript { request in
                request.index == 0 ? first.answer(request, cut: cut) : second.answer(request)
            }
            try await withLoopbackServer(script) { server in
                let clock = ManualClock()
                var downloader = downloads.downloader(clock)
                let following = cut.follow(downloader, "a")
                defer { following.cancel() }
                let request = DownloadFixture.request(server.url("/a"))
                var wait = Task { [downloader] in await downloader.networkResponse(from: request, with: "a") }
                if relaunching {
                    await clock.waitForSleeper()
                    await downloader.shutdown()
                    #expect(await wait.value.failure == .cancelled)
                    downloader = downloads.downloader(clock)
                    wait = Task { [downloader] in await downloader.networkResponse(from: request, with: "a") }
                    // A new launch probes a server that failed at once.
                } else {
                    await clock.pass { server.requests.count == 2 }
                }
                let response = await wait.value
                let file = try #require(response.file, "\(response)")
                #expect(try downloads.content(of: file) == second.bytes)
                #expect(try downloads.names().count == 1)
                await downloader.shutdown()
                requests = server.requests
            }
        }
        return requests
    }

    @Test("After a cut only the rest is asked for, under the content's own tag", arguments: [false, true])
    func resumes(relaunching: Bool) async throws {
        let requests = try await requests(.numbered(Self.size), relaunching: relaunching)
        #expect(requests.count == 2)
        #expect(requests.last?.headers["Range"] == "bytes=\(Self.cut)-")
        #expect(requests.last?.headers["If-Range"] == "\"one\"")
    }

    @Test("A content that has changed meanwhile is fetched from the beginning, and nothing of the old is in it")
    func changed() async throws {
        var changed = ServedContent.numbered(Self.size, seed: 9)
        changed.fields = [("ETag", "\"two\"")]
        let requests = try await requests(.numbered(Self.size), then: changed)
        #expect(requests.count == 2)
        #expect(requests.last?.headers["Range"] != nil)
        // A shorter one leaves no tail of the old.
        changed.bytes = Array(changed.bytes.prefix(Self.cut / 2))
        _ = try await self.requests(.numbered(Self.size), then: changed)
    }

    @Test(
        "Without a validator that can be trusted the download starts over",
        arguments: [
            [], [("ETag", "W/\"weak\"")], [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
            [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Date", "Sun, 06 Nov 1994 08:50:00 GMT")],
        ] as [[(String, String)]])
    func noValidator(fields: [(name: String, value: String)]) async throws {
        var content = ServedContent.numbered(Self.size)
        content.fields = fields
        let requests = try await requests(content)
        #expect(requests.map { $0.headers["Range"] } == [nil, nil])
    }

    @Test("A date that lies a minute before the answer will do")
    func lastModified() async throws {
        let modified = "Sun, 06 Nov 1994 08:49:37 GMT"
        var content = ServedContent.numbered(Self.size)
        content.fields = [("Last-Modified", modified), ("Date", "Sun, 06 Nov 1994 08:50:37 GMT")]
        let requests = try await requests(content)
        #expect(requests.last?.headers["If-Range"] == modified)
        #expect(requests.last?.headers["Range"] == "bytes=\(Self.cut)-")
    }

    @Test("A server that ignores ranges is taken at its word")
    func ignoresRanges() async throws {
        var whole = ServedContent.numbered(Self.size)
        whole.understandsRanges = false
        let requests = try await requests(.numbered(Self.size), then: whole)
        #expect(requests.count == 2)
    }

    @Test(
        "A part that does not continue ours, or none, makes it start over at once",
        arguments: [
            "bytes 99999-299999/300000", "bytes 100000-299999/300001", "bytes 100000-299998/300000",
            "bytes 100000-299999/*", "chunks 1-2/3", "", "416",
        ])
    func wrongPart(contentRange: String) async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(Self.size)
            let cut = Cut(after: Self.cut)
            let script = ServerScript { request in
                guard request.headers["Range"] != nil else {
                    return content.answer(request, cut: request.index == 0 ? cut : nil)
                }
                guard contentRange != "416" else { return .response(416) }
                let rest = Array(content.bytes[Self.cut...])
                return .response(206, headers: [("Content-Range", contentRange)], body: rest)
            }
            try await withLoopbackServer(script) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let following = cut.follow(downloader, "a")
                defer { following.cancel() }
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count >= 2 }
                let response = await wait.value
                let file = try #require(response.file, "\(response)")
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(server.requests.map { $0.headers["Range"] } == [nil, "bytes=\(Self.cut)-", nil])
                await downloader.shutdown()
            }
        }
    }

    @Test("A part of another tag is not taken for the rest, whatever its range says")
    func otherTag() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(Self.size)
            let cut = Cut(after: Self.cut)
            let script = ServerScript { request in
                guard request.headers["Range"] != nil else {
                    return content.answer(request, cut: request.index == 0 ? cut : nil)
                }
                let range = "bytes \(Self.cut)-\(Self.size - 1)/\(Self.size)"
                return .response(
                    206, headers: [("Content-Range", range), ("ETag", "\"two\"")],
                    body: Array(repeating: 0, count: Self.size - Self.cut))
            }
            try await withLoopbackServer(script) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let following = cut.follow(downloader, "a")
                defer { following.cancel() }
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count >= 2 }
                let file = try #require(await wait.value.file)
                #expect(try downloads.content(of: file) == content.bytes)
                await downloader.shutdown()
            }
        }
    }

    @Test("Cut again and again it comes nearer each time, and no byte is asked for twice")
    func manyCuts() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(Self.size)
            let cuts = (0..<5).map { _ in Cut(after: 50_000) }
            let script = ServerScript { content.answer($0, cut: $0.index < 5 ? cuts[$0.index] : nil) }
            try await withLoopbackServer(script) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let following = cuts.enumerated().map { $1.follow(downloader, "a", until: ($0 + 1) * 50_000) }
                defer { for task in following { task.cancel() } }
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count == 6 }
                let file = try #require(await wait.value.file)
                #expect(try downloads.content(of: file) == content.bytes)
                let ranges = server.requests.dropFirst().map { $0.headers["Range"] }
                #expect(ranges == (1...5).map { "bytes=\($0 * 50_000)-" })
                await downloader.shutdown()
            }
        }
    }

    @Test("A retry keeps what has come")
    func retryKeeps() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(Self.size)
            let cut = Cut(after: Self.cut)
            let script = ServerScript { request in
                request.index == 1
                    ? .response(503, headers: [("Retry-After", "20")])
                    : content.answer(request, cut: request.index == 0 ? cut : nil)
            }
            try await withLoopbackServer(script) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let following = cut.follow(downloader, "a")
                defer { following.cancel() }
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count == 2 }
                let first = await wait.value
                #expect(first.word == "retry" && first.response?.retryAfterInterval == 20)
                let again = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count == 3 }
                let file = try #require(await again.value.file)
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(server.requests.last?.headers["Range"] == "bytes=\(Self.cut)-")
                await downloader.shutdown()
            }
        }
    }
}
