import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct UploaderOutcomeTests {
    @Test(
        "An answer becomes one of three outcomes",
        arguments: [
            (200, "success"), (201, "success"), (204, "success"), (429, "retry"), (503, "retry"), (500, "retry"),
            (409, "retry"), (400, "rejected"), (401, "rejected"), (403, "rejected"), (404, "rejected"),
            (301, "rejected"), (415, "rejected"), (511, "rejected"),
        ])
    func outcomes(status: Int, word: String) async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(status, headers: [("X-Answer", "yes")]))) { server in
                let uploader = uploads.uploader()
                let response = await uploader.networkResponse(
                    from: UploadFixture.request(server.url("/a")), uploading: try uploads.file(), with: "a")
                #expect(response.word == word)
                #expect(response.response?.status.code == status)
                #expect(response.response?.headerFields[values: try #require(.init("X-Answer"))] == ["yes"])
                await uploader.shutdown()
            }
        }
    }

    @Test("The documented example compiles, and tells the wait the server asks for")
    func example() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(503, headers: [("Retry-After", "7")]))) { server in
                let uploader = uploads.uploader()
                let request = UploadFixture.request(server.url())
                var wait = 0.0
                switch await uploader.networkResponse(from: request, uploading: try uploads.file(), with: "a") {
                case .success(let response): Issue.record("\(response.status)")
                case .retry(let response): wait = response.retryAfterInterval ?? 60
                case .rejected: Issue.record("rejected")
                case .failed(let error): Issue.record("\(error)")
                }
                #expect(wait == 7)
                await uploader.shutdown()
            }
        }
    }

    @Test("What is sent is the file, with its length, digest and key, whole and not in chunks")
    func request() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                let uploader = uploads.uploader()
                _ = await uploader.networkResponse(
                    from: UploadFixture.request(server.url("/x?y=1"), method: .post),
                    uploading: try uploads.file("f", "hello"), with: "a")
                let received = try #require(server.requests.first)
                #expect(received.method == "POST")
                #expect(received.target == "/x?y=1")
                #expect(received.text == "hello")
                #expect(received.headers["Content-Length"] == "5")
                #expect(received.headers["Transfer-Encoding"] == nil)
                #expect(received.headers["Content-Encoding"] == nil)
                #expect(received.headers["Authorization"] == UploadFixture.secret)
                #expect(received.headers["Content-Type"] == "text/plain")
                #expect(
                    received.headers["Repr-Digest"] == "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:")
                let key = try #require(received.headers["Idempotency-Key"])
                #expect(key.count == 66 && key.hasPrefix("\"") && key.hasSuffix("\""))
                #expect(received.headers.values("Content-Length").count == 1)
                await uploader.shutdown()
            }
        }
    }

    @Test("The key is the same for each try of a transfer, and another for other content")
    func keys() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.inTurn(.response(500), .response(200))) { server in
                let uploader = uploads.uploader()
                let request = UploadFixture.request(server.url())
                let file = try uploads.file()
                _ = await uploader.networkResponse(from: request, uploading: file, with: "a")
                await uploader.shutdown()
                let clock = ManualClock()
                let transport = ScriptedTransport(clock: clock) { _ in .status(200) }
                let next = uploads.uploader(transport, clock)
                _ = await next.networkResponse(from: request, uploading: file, with: "a")
                _ = await next.networkResponse(from: request, uploading: try uploads.file("g", "other"), with: "a")
                let name = try #require(HTTPField.Name("Idempotency-Key"))
                let keys = transport.sent.compactMap { $0.request.fields[name] }
                #expect(keys.first == server.requests.first?.headers["Idempotency-Key"])
                #expect(Set(keys).count == 2)
                await next.shutdown()
            }
        }
    }

    @Test("A caller's own key and digest are left alone")
    func ownFields() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                let uploader = uploads.uploader()
                var request = UploadFixture.request(server.url())
                for name in ["Idempotency-Key", "Repr-Digest"] {
                    request.headerFields[try #require(.init(name))] = "mine"
                }
                _ = await uploader.networkResponse(from: request, uploading: try uploads.file(), with: "a")
                let received = try #require(server.requests.first)
                #expect(received.headers.values("Idempotency-Key") == ["mine"])
                #expect(received.headers.values("Repr-Digest") == ["mine"])
                await uploader.shutdown()
            }
        }
    }

    @Test(
        "A request without an absolute URL, or with a password in it, is not sent",
        arguments: [
            (nil, "example.com", "/"), ("http", nil, "/"), ("ftp", "example.com", "/"), ("http", "", "/"),
            ("http", "me:secret@example.com", "/"), ("http", "example.com", "/with space"),
        ] as [(String?, String?, String)])
    func invalid(scheme: String?, authority: String?, path: String) async throws {
        try await withUploads { uploads in
            let uploader = uploads.uploader()
            let request = HTTPRequest(method: .put, scheme: scheme, authority: authority, path: path)
            let response = await uploader.networkResponse(from: request, uploading: try uploads.file(), with: "a")
            #expect(response.failure == .invalidRequest)
            #expect(!response.description.contains("secret"))
            await uploader.shutdown()
        }
    }

    @Test("What is no file, or changed after it was handed over, is not sent")
    func unreadable() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { _ in .refused }
            let uploader = uploads.uploader(transport, clock)
            let request = UploadFixture.request("http://collector.example/a")
            for path in [uploads.directory + "/missing", uploads.directory, "/dev/null"] {
                let response = await uploader.networkResponse(from: request, uploading: FilePath(path), with: path)
                #expect(response.failure == .unreadableFile)
            }
            let file = try uploads.file("f", "first")
            let wait = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
            await clock.waitForSleeper()
            _ = try uploads.file("f", "other")
            transport.answer { _ in .status(200) }
            clock.advance(by: 60_000)
            #expect(await wait.value.failure == .unreadableFile)
            #expect(transport.sent.count == 1)
            await uploader.shutdown()
        }
    }

    @Test("Failures of the network are tried again while the call lasts")
    func networkFailures() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { $0.index < 3 ? .refused : .status(200) }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let wait = Task {
                await uploader.networkResponse(
                    from: UploadFixture.request("http://collector.example/a"), uploading: file, with: "a")
            }
            for count in 1...3 {
                await transport.waitForSent(count: count)
                guard let wake = await clock.waitForSleeper() else { return }
                clock.advance(by: wake - clock.bootMilliseconds)
            }
            #expect(await wait.value.word == "success")
            #expect(transport.sent.count == 4)
            await uploader.shutdown()
        }
    }

    @Test("An untrusted server and a refusal end the one call, not the others")
    func refusals() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { sent in
                sent.name.hasPrefix("tls") ? .noAnswer(.untrusted("the certificate has expired")) : .status(401)
            }
            let uploader = uploads.uploader(transport, clock)
            // One drive for all of them: a new one would begin with a probe.
            let run = Task { try await uploader.run() }
            for number in 0..<8 {
                for kind in ["tls", "auth"] {
                    let name = "\(kind)\(number)"
                    let response = await uploader.networkResponse(
                        from: UploadFixture.request("http://collector.example/\(name)"),
                        uploading: try uploads.file(name, name), with: name)
                    #expect(kind == "tls" ? response.failure == .notTrusted : response.word == "rejected")
                }
            }
            run.cancel()
            try await run.value
            await uploader.shutdown()
        }
    }

    @Test("Too many open files say nothing about the file: its upload goes on when there are fewer")
    func tooManyOpenFiles() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let refused = Monitor(0)
            var seams = SessionSeams()
            // The caller's own look at the file is the first; two attempts after it fail.
            seams.files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .open, call.name == "report" else { return }
                let count = refused.withLock { count in
                    count += 1
                    return count
                }
                if count == 2 || count == 3 { throw FileSystemError(.open, "report", .tooManyOpenFiles) }
            }
            seams.clock = clock
            seams.transport = ScriptedTransport(clock: clock) { _ in .status(201) }
            var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
            configuration.rootDirectory = uploads.root
            let uploader = Uploader(sessionConfiguration: configuration, seams: seams)
            let file = try uploads.file()
            let wait = Task {
                await uploader.networkResponse(
                    from: UploadFixture.request("http://a.example/"), uploading: file, with: "a")
            }
            for _ in 0..<2 {
                let wake = try #require(await clock.waitForSleeper())
                clock.advance(by: wake - clock.bootMilliseconds)
            }
            #expect(await wait.value.word == "success")
            #expect(refused.value >= 4)
            await uploader.shutdown()
        }
    }
}
