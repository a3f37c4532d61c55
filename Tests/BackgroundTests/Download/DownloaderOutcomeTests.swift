import Background
import Digests
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct DownloaderOutcomeTests {
    @Test("The content is in a file of the caller's own, whole and private", arguments: [0, 1, 5_000, 700_000])
    func content(count: Int) async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(count)
            try await withLoopbackServer(ServerScript { content.answer($0) }) { server in
                let downloader = downloads.downloader()
                let response = await downloader.networkResponse(
                    from: DownloadFixture.request(server.url("/a?b=1")), with: "a")
                let file = try #require(response.file, "\(response)")
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(response.response?.status.code == 200)
                #expect(response.response?.headerFields[.eTag] == "\"one\"")
                let folder = try POSIXFileSystem().openDirectory(file.removingLastComponent())
                let name = try #require(file.lastComponent.flatMap { EntryName($0.string) })
                #expect(try POSIXFileSystem().metadata(of: name, in: folder)?.permissions == 0o600)
                let received = try #require(server.requests.first)
                #expect(received.method == "GET" && received.target == "/a?b=1")
                #expect(received.headers["Accept-Encoding"] == "identity")
                #expect(received.headers["Authorization"] == UploadFixture.secret)
                #expect(received.headers["Range"] == nil)
                #expect(received.headers["Content-Length"] == nil)
                await downloader.shutdown()
            }
        }
    }

    @Test(
        "An answer without content becomes one of three outcomes, and leaves no file",
        arguments: [
            (429, "retry"), (503, "retry"), (500, "retry"), (409, "retry"), (400, "rejected"), (401, "rejected"),
            (403, "rejected"), (404, "rejected"), (304, "rejected"), (416, "rejected"), (511, "rejected"),
            (204, "failed"), (202, "failed"), (206, "failed"),
        ])
    func outcomes(status: Int, word: String) async throws {
        try await withDownloads { downloads in
            try await withLoopbackServer(.always(.response(status, headers: [("X-Answer", "yes")]))) { server in
                let downloader = downloads.downloader()
                let response = await downloader.networkResponse(
                    from: DownloadFixture.request(server.url("/a")), with: "a")
                #expect(response.word == word)
                if word == "failed" {
                    #expect(response.failure == .contentMissing)
                } else {
                    #expect(response.response?.status.code == status)
                    #expect(response.response?.headerFields[values: try #require(.init("X-Answer"))] == ["yes"])
                }
                let names = try downloads.names()
                #expect(names == [])
                await downloader.shutdown()
            }
        }
    }

    @Test("The file stays until it is acknowledged, over launches, and is handed out again without a request")
    func staysUntilAcknowledged() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(1_000)
            try await withLoopbackServer(ServerScript { content.answer($0) }) { server in
                let request = DownloadFixture.request(server.url("/a"))
                var files: Set<FilePath> = []
                for _ in 0..<3 {
                    let downloader = downloads.downloader()
                    let response = await downloader.networkResponse(from: request, with: "a")
                    let file = try #require(response.file, "\(response)")
                    #expect(try downloads.content(of: file) == content.bytes)
                    files.insert(file)
                    #expect(try await downloader.pendingTransfers().map(\.state) == [.ended])
                    await downloader.shutdown()
                }
                #expect(server.requests.count == 1)
                #expect(files.count == 1)

                let downloader = downloads.downloader()
                try await downloader.acknowledge("a")
                #expect(try downloads.names() == [])
                #expect(try await downloader.pendingTransfers().isEmpty)
                let again = await downloader.networkResponse(from: request, with: "a")
                #expect(again.word == "success")
                #expect(server.requests.count == 2)
                // Moved away it is its owner's for good, and asking again fetches it again.
                let moved = downloads.directory + "/mine"
                let left = try #require(again.file)
                #expect(rename(left, to: moved))
                #expect(await downloader.networkResponse(from: request, with: "a").word == "success")
                #expect(server.requests.count == 3)
                #expect(try downloads.content(of: FilePath(moved)) == content.bytes)
                await downloader.shutdown()
            }
        }
    }

    private func rename(_ file: FilePath, to path: String) -> Bool {
        let files = POSIXFileSystem()
        let target = FilePath(path)
        guard let source = try? files.openDirectory(file.removingLastComponent()),
            let folder = try? files.openDirectory(target.removingLastComponent()),
            let name = file.lastComponent.flatMap({ EntryName($0.string) }),
            let newName = target.lastComponent.flatMap({ EntryName($0.string) })
        else { return false }
        return (try? files.rename(name, in: source, to: newName, in: folder)) != nil
    }

    @Test("A Repr-Digest is checked: what it does not fit is fetched again, from the beginning")
    func digest() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(1_000)
            let digest = ContentHash(of: content.bytes)
            try await withLoopbackServer(
                ServerScript { request in
                    var served = content
                    served.fields.append(("Repr-Digest", "sha-512=:AA==:, sha-256=:\(digest.base64):"))
                    if request.index == 0 { served.bytes[999] ^= 1 }
                    return served.answer(request)
                }
            ) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                await clock.pass { server.requests.count == 2 }
                let response = await wait.value
                let file = try #require(response.file, "\(response)")
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(server.requests.count == 2)
                #expect(server.requests.last?.headers["Range"] == nil)
                await downloader.shutdown()
            }
        }
    }

    @Test("Another URL under a live identifier is refused; uploads have names of their own")
    func identifiers() async throws {
        try await withDownloads { downloads in
            let gate = Gate()
            let content = ServedContent.numbered(10)
            let script = ServerScript { request in
                request.method == "PUT" ? .response(201) : .delay(until: gate, then: content.answer(request))
            }
            try await withLoopbackServer(script) { server in
                let downloader = downloads.downloader()
                let request = DownloadFixture.request(server.url("/a"))
                let first = Task { await downloader.networkResponse(from: request, with: "a") }
                await server.waitForRequests(count: 1)
                let other = DownloadFixture.request(server.url("/b"))
                #expect(await downloader.networkResponse(from: other, with: "a").failure == .identifierInUse)
                let second = Task { await downloader.networkResponse(from: request, with: "a") }

                let uploads = UploadFixture(directory: downloads.directory)
                let uploader = uploads.uploader()
                let upload = UploadFixture.request(server.url("/up"))
                let file = try uploads.file()
                for name in ["a", "\u{1f}da", "\u{1f}"] {
                    #expect(await uploader.networkResponse(from: upload, uploading: file, with: name).word == "success")
                }
                gate.open()
                #expect(await first.value.word == "success")
                #expect(await second.value.word == "success")
                #expect(server.requests.filter { $0.method == "GET" }.count == 1)
                await uploader.shutdown()
                await downloader.shutdown()
            }
        }
    }

    @Test("Calls that throw, and calls with a handler, come to the same")
    func otherCalls() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(10)
            let script = ServerScript { $0.target == "/a" ? content.answer($0) : .response(404) }
            try await withLoopbackServer(script) { server in
                let downloader = downloads.downloader()
                let (file, response) = try await downloader.download(
                    DownloadFixture.request(server.url("/a")), with: "a")
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(response.status == .ok)
                let missing = DownloadFixture.request(server.url("/missing"))
                await #expect(throws: NetworkResponseError.self) {
                    _ = try await downloader.download(missing, with: "b")
                }
                let said: (String, Int?) = await withCheckedContinuation { continuation in
                    Task {
                        await downloader.beginDownload(of: DownloadFixture.request(server.url("/a")), identifier: "a") {
                            continuation.resume(returning: ($0, (try? $1.get())?.1.status.code))
                        }
                    }
                }
                #expect(said == ("a", 200))
                await downloader.shutdown()
            }
        }
    }
}
