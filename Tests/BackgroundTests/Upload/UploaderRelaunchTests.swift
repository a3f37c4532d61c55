import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct UploaderRelaunchTests {
    private static let url = "http://collector.example/a"

    @Test("A transfer left behind rests until the next launch asks with its identifier")
    func reconnects() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let clock = ManualClock()
                let offline = ScriptedTransport(clock: clock) { _ in .refused }
                let first = uploads.uploader(offline, clock)
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                let wait = Task { await first.networkResponse(from: request, uploading: file, with: "a") }
                await clock.waitForSleeper()
                await first.shutdown()
                #expect(await wait.value.failure == .cancelled)

                let second = uploads.uploader()
                let other = try uploads.file("g", "other")
                #expect(await second.networkResponse(from: request, uploading: other, with: "b").word == "success")
                #expect(server.requests.map(\.text) == ["other"])
                #expect(await second.networkResponse(from: request, uploading: file, with: "a").word == "success")
                #expect(server.requests.map(\.text) == ["other", "hello"])
                await second.shutdown()
            }
        }
    }

    @Test("An outcome nobody has seen is handed over by the next launch, once, without sending again")
    func unseenOutcome() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let gate = Gate()
            let transport = ScriptedTransport(clock: clock) { _ in
                await gate.wait()
                return .status(201, headers: [("Location", "/stored/7"), ("Set-Cookie", "session=1")])
            }
            let first = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            let run = Task { try await first.run() }
            let wait = Task { await first.networkResponse(from: request, uploading: file, with: "a") }
            await transport.waitForSent(count: 1)
            wait.cancel()
            _ = await wait.value
            gate.open()
            while try uploads.record("a")?.state != .delivered { await Task.yield() }
            await first.shutdown()
            try await run.value

            let second = uploads.uploader(transport, clock)
            let response = await second.networkResponse(from: request, uploading: file, with: "a")
            #expect(response.word == "success")
            #expect(response.response?.status.code == 201)
            #expect(response.response?.headerFields[.location] == "/stored/7")
            #expect(response.response?.headerFields[.setCookie] == nil)
            #expect(transport.sent.count == 1)
            #expect(await second.networkResponse(from: request, uploading: file, with: "a").word == "success")
            #expect(transport.sent.count == 2)
            await second.shutdown()
        }
    }

    @Test("With a provider of requests a launch goes on with what an earlier one left, without being asked")
    func provider() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let offline = ScriptedTransport(clock: clock) { _ in .refused }
            let first = uploads.uploader(offline, clock)
            let file = try uploads.file()
            try await withLoopbackServer(.always(.response(200))) { server in
                let wait = Task {
                    await first.networkResponse(
                        from: UploadFixture.request(server.url()), uploading: file, with: "a")
                }
                await clock.waitForSleeper()
                await first.shutdown()
                _ = await wait.value

                // A launch without a provider does not lose it.
                let idle = uploads.uploader()
                _ = try await idle.cancel("nothing")
                await idle.shutdown()

                let url = server.url("/fresh")
                let second = uploads.uploader { configuration in
                    configuration.requestProvider = { identifier in
                        #expect(identifier == "a")
                        // The program's own, which the provider may block.
                        #expect(ThreadLog.current != OwnThreads.name)
                        return UploadFixture.request(url)
                    }
                }
                let run = Task { try await second.run() }
                let received = await server.waitForRequests(count: 1)
                #expect(received.first?.target == "/fresh")
                #expect(received.first?.headers["Authorization"] == UploadFixture.secret)
                while try uploads.record("a")?.state != .delivered { await Task.yield() }
                run.cancel()
                try await run.value
                await second.shutdown()
            }
        }
    }

    @Test("A provider that fails, or names another server, leaves the transfer at rest")
    func failingProvider() async throws {
        struct NoCredentials: Error {}
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { _ in .refused }
            let first = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let wait = Task {
                await first.networkResponse(from: UploadFixture.request(Self.url), uploading: file, with: "a")
            }
            await clock.waitForSleeper()
            await first.shutdown()
            _ = await wait.value
            let sent = transport.sent.count

            for fails in [true, false] {
                var configuration = BackgroundSessionConfiguration.background(withIdentifier: "test")
                configuration.rootDirectory = uploads.root
                let asked = Gate()
                configuration.requestProvider = { _ in
                    asked.open()
                    if fails { throw NoCredentials() }
                    return UploadFixture.request("http://elsewhere.example/a")
                }
                var seams = SessionSeams()
                (seams.clock, seams.transport) = (clock, transport)
                clock.advance(by: 3_600_000)
                let next = Uploader(sessionConfiguration: configuration, seams: seams)
                let run = Task { try await next.run() }
                await asked.wait()
                while try uploads.record("a")?.reason != .held(.caller) { await Task.yield() }
                await next.shutdown()
                try await run.value
            }
            #expect(transport.sent.count == sent)
            #expect(try uploads.record("a")?.state == .held)
            #expect(try uploads.record("a")?.charged == 0)
        }
    }

    @Test("While another process owns the root, every call says so; afterwards it works")
    func ownedElsewhere() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let files = POSIXFileSystem()
                try files.makeDirectories(uploads.root, permissions: 0o700)
                let other = try OwnerLock("owner.lock", in: files.openDirectory(uploads.root))
                #expect(try other.tryLock())
                let uploader = uploads.uploader()
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                let refused = await uploader.networkResponse(from: request, uploading: file, with: "a")
                #expect(refused.failure == .ownedElsewhere)
                await #expect(throws: NetworkResponseError.self) { try await uploader.run() }
                await #expect(throws: NetworkResponseError.self) { try await uploader.pendingTransfers() }
                other.unlock()
                #expect(await uploader.networkResponse(from: request, uploading: file, with: "a").word == "success")
                #expect(try other.tryLock() == false)
                await uploader.shutdown()
                #expect(try other.tryLock())
            }
        }
    }

    @Test("Uploaders of one root share its session, which is closed with the last of them")
    func shared() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let (first, second) = (uploads.uploader(), uploads.uploader())
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                #expect(await first.networkResponse(from: request, uploading: file, with: "a").word == "success")
                #expect(await second.networkResponse(from: request, uploading: file, with: "b").word == "success")
                await first.shutdown()
                #expect(await second.networkResponse(from: request, uploading: file, with: "c").word == "success")
                let lock = try OwnerLock("owner.lock", in: POSIXFileSystem().openDirectory(uploads.root))
                #expect(try lock.tryLock() == false)
                await second.shutdown()
                #expect(try lock.tryLock())
                lock.unlock()
                #expect(await first.networkResponse(from: request, uploading: file, with: "d").word == "success")
                await first.shutdown()
            }
        }
    }

    @Test("An uploader that is dropped without a word leaves the root to the next")
    func dropped() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let request = UploadFixture.request(server.url())
                for number in 0..<3 {
                    let file = try uploads.file("f\(number)", "\(number)")
                    let uploader = uploads.uploader()
                    let response = await uploader.networkResponse(
                        from: request, uploading: file, with: "a\(number)")
                    #expect(response.word == "success")
                }
                #expect(server.requests.count == 3)
            }
        }
    }

    @Test("Nothing secret is on disk: of header fields only the names")
    func secrets() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(503))) { server in
                let uploader = uploads.uploader()
                _ = await uploader.networkResponse(
                    from: UploadFixture.request(server.url()), uploading: try uploads.file(), with: "a")
                let live = try Self.contents(of: uploads.root)
                #expect(live.contains(Self.bytes("Authorization")) || live.contains(Self.bytes("authorization")))
                #expect(!live.contains(Self.bytes("very-secret")))
                await uploader.shutdown()
                #expect(!(try Self.contents(of: uploads.root)).contains(Self.bytes("very-secret")))
                let names = try #require(try uploads.record("a")?.request?.headerNames)
                #expect(Set(names) == ["authorization", "content-type"])
            }
        }
    }

    @Test("The root is for its owner alone")
    func permissions() async throws {
        try await withUploads { uploads in
            let uploader = uploads.uploader()
            _ = try await uploader.cancel("nothing")
            let files = POSIXFileSystem()
            let root = try files.openDirectory(uploads.root)
            #expect(try files.metadata(of: root).permissions == 0o700)
            for name in try files.entries(of: root) {
                let facts = try #require(try files.metadata(of: name, in: root))
                #expect(facts.permissions == (facts.kind == .directory ? 0o700 : 0o600), "\(name)")
            }
            await uploader.shutdown()
        }
    }

    @Test("A damaged ledger is set aside and kept, and work goes on")
    func damaged() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let files = POSIXFileSystem()
                try files.makeDirectories(uploads.root, permissions: 0o700)
                let root = try files.openDirectory(uploads.root)
                let file = try files.createFile("ledger.sqlite", in: root)
                try files.write(Array(repeating: UInt8(ascii: "x"), count: 8_192), to: file)
                let uploader = uploads.uploader()
                let response = await uploader.networkResponse(
                    from: UploadFixture.request(server.url()), uploading: try uploads.file(), with: "a")
                #expect(response.word == "success")
                #expect(try files.entries(of: root).contains { $0.description.contains(".corrupt-") })
                await uploader.shutdown()
            }
        }
    }

    @Test("A ledger that turns out to be damaged in the midst of the work is set aside by the calls that follow")
    func damagedInside() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(200))) { server in
                let files = POSIXFileSystem()
                let request = UploadFixture.request(server.url())
                let first = uploads.uploader()
                let file = try uploads.file()
                #expect(await first.networkResponse(from: request, uploading: file, with: "a").word == "success")
                await first.shutdown()
                let path = uploads.root.appending("ledger.sqlite").string
                // The life before ended in order, so that nobody looks for damage at the open.
                try damageTable("attempt", in: path)
                let second = uploads.uploader()
                var words: [String] = []
                for _ in 0..<4 {
                    words.append(await second.networkResponse(from: request, uploading: file, with: "b").word)
                    if words.last == "success" { break }
                }
                #expect(words.count > 1, "the damage was not met")
                #expect(words.last == "success", "\(words)")
                let root = try files.openDirectory(uploads.root)
                #expect(try files.entries(of: root).contains { $0.description.contains(".corrupt-") })
                await second.shutdown()
            }
        }
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// All files of a directory and those below it, one after the other.
    private static func contents(of path: FilePath) throws -> [UInt8] {
        let files = POSIXFileSystem()
        let directory = try files.openDirectory(path)
        return try files.entries(of: directory).flatMap { name in
            if try files.metadata(of: name, in: directory)?.kind == .directory {
                return try contents(of: path.appending(name.description))
            }
            return try files.contents(of: name, in: directory, limit: 8 << 20) ?? []
        }
    }
}
