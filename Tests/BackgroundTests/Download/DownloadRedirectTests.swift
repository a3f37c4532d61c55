import Background
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct DownloadRedirectTests {
    @Test("Redirects on one server are followed, credentials and all", arguments: [301, 302, 303, 307, 308])
    func sameServer(status: Int) async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(100)
            let script = ServerScript { request in
                switch request.target {
                case "/a/b?c": .response(status, headers: [("Location", "../d/./e?f")])
                case "/d/e?f": .response(status, headers: [("Location", "/g")])
                case "/g": .response(status, headers: [("Location", "?h=1")])
                case "/g?h=1": content.answer(request)
                default: .response(404)
                }
            }
            try await withLoopbackServer(script) { server in
                let downloader = downloads.downloader()
                let response = await downloader.networkResponse(
                    from: DownloadFixture.request(server.url("/a/b?c")), with: "a")
                let file = try #require(response.file, "\(response) \(server.requests.map(\.target))")
                #expect(try downloads.content(of: file) == content.bytes)
                #expect(server.requests.allSatisfy { $0.headers["Authorization"] == UploadFixture.secret })
                await downloader.shutdown()
            }
        }
    }

    @Test("Another server gets no credentials, and what has come from it is gone on with")
    func otherServer() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(100_000)
            let cut = Cut(after: 40_000)
            let script = ServerScript { content.answer($0, cut: $0.index == 0 ? cut : nil) }
            try await withLoopbackServer(script) { store in
                let location = store.url("/content")
                try await withLoopbackServer(.always(.response(302, headers: [("Location", location)]))) { server in
                    let clock = ManualClock()
                    let downloader = downloads.downloader(clock)
                    let following = cut.follow(downloader, "a")
                    defer { following.cancel() }
                    var request = DownloadFixture.request(server.url("/a"))
                    request.headerFields[.cookie] = "session=1"
                    request.headerFields[.accept] = "application/octet-stream"
                    request.headerFields[try #require(.init("X-Api-Key"))] = "secret"
                    let wait = Task { [request] in await downloader.networkResponse(from: request, with: "a") }
                    await clock.pass { store.requests.count == 2 }
                    let file = try #require(await wait.value.file)
                    #expect(try downloads.content(of: file) == content.bytes)
                    #expect(store.requests.last?.headers["Range"] == "bytes=40000-")
                    for received in store.requests {
                        #expect(received.headers["Accept"] == "application/octet-stream")
                        for name in ["Authorization", "Cookie", "X-Api-Key", "Content-Type"] {
                            #expect(received.headers[name] == nil, "\(name)")
                        }
                    }
                    #expect(server.requests.allSatisfy { $0.headers["X-Api-Key"] == "secret" })
                    await downloader.shutdown()
                }
            }
        }
    }

    @Test("A redirect that leads nowhere, or in a circle, gives no file", arguments: ["ftp://127.0.0.1/", "", "/a"])
    func nowhere(location: String) async throws {
        try await withDownloads { downloads in
            try await withLoopbackServer(.always(.response(302, headers: [("Location", location)]))) { server in
                let clock = ManualClock()
                let downloader = downloads.downloader(clock)
                let request = DownloadFixture.request(server.url("/a"))
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                if location == "/a" {
                    // Six requests, then it waits like after any other failure of the server.
                    await server.waitForRequests(count: 6)
                    await clock.waitForSleeper()
                    #expect(server.requests.count == 6)
                    let isCancelled = try await downloader.cancel("a")
                    #expect(isCancelled)
                    #expect(await wait.value.failure == .cancelled)
                } else {
                    #expect(await wait.value.response?.status.code == 302)
                    #expect(server.requests.count == 1)
                }
                await downloader.shutdown()
            }
        }
    }

    @Test("From https to http no redirect is followed")
    func downgrade() throws {
        let secure = try Endpoint("https://a.example/x")
        #expect(secure.redirect(by: answer("http://a.example/y")) == nil)
        #expect(secure.redirect(by: answer("//b.example/y"))?.description == "https://b.example/y")
        #expect(try Endpoint("http://a.example/x").redirect(by: answer("https://a.example/"))?.isSecure == true)
    }

    private func answer(_ location: String) -> TransferAnswer {
        TransferAnswer(
            status: 302, fields: [.location: location], body: [], bytesSent: 0, isWholeBodySent: true, isLoopback: false
        )
    }

    @Test(
        "A relative Location is resolved as RFC 3986 says",
        arguments: [
            ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            (";x", "/b/c/;x"), (".", "/b/c/"), ("..", "/b/"), ("../g", "/b/g"), ("../..", "/"), ("../../../g", "/g"),
            ("g#s/../x", "/b/c/g"),
        ])
    func relative(location: String, path: String) throws {
        let base = try Endpoint("http://a/b/c/d;p?q")
        #expect(base.resolving(location: location)?.path == path)
    }
}
