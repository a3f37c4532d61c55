import Background
import DurableIO
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// What uploaders and downloaders tell of all their transfers, and what can be done about them.
@Suite(.timeLimit(.minutes(10)))
struct SessionTests {
    private static let url = "http://collector.example/a"

    @Test("An upload under way is cancelled: its connection ends, its wait too, and nothing of it is left to send")
    func cancelUnderWay() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(ServerScript { $0.index == 0 ? .stall : .response(201) }) { server in
                let uploader = uploads.uploader()
                let file = try uploads.file()
                let request = UploadFixture.request(server.url())
                let wait = Task { await uploader.networkResponse(from: request, uploading: file, with: "a") }
                await server.waitForRequests(count: 1)
                #expect(try await uploader.pendingTransfers().map(\.state) == [.underWay])
                #expect(try await uploader.cancel("a"))
                #expect(await wait.value.failure == .cancelled)
                #expect(try uploads.record("a")?.state == .removed)
                #expect(try await uploader.pendingTransfers().isEmpty)
                #expect(try await uploader.cancel("a") == false)
                #expect(await uploader.networkResponse(from: request, uploading: file, with: "a").word == "success")
                #expect(server.requests.count == 2)
                await uploader.shutdown()
            }
        }
    }

    @Test("A download under way is cancelled, and what had come goes at the next launch")
    func cancelDownload() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(100_000)
            let cut = Cut(after: 50_000)
            try await withLoopbackServer(ServerScript { content.answer($0, cut: cut) }) { server in
                let downloader = downloads.downloader()
                let request = DownloadFixture.request(server.url())
                let progress = downloader.progress(of: "a")
                let wait = Task { await downloader.networkResponse(from: request, with: "a") }
                for await step in progress where step.completedByteCount >= 50_000 { break }
                #expect(try await downloader.cancel("a"))
                #expect(await wait.value.failure == .cancelled)
                await downloader.shutdown()
                let next = downloads.downloader()
                #expect(try await next.pendingTransfers().isEmpty)
                let names = try downloads.names()
                #expect(names == [])
                await next.shutdown()
            }
        }
    }

    @Test("Progress is told in bytes until the transfer ends")
    func progress() async throws {
        try await withUploads { uploads in
            let size = 2 << 20
            let content = ServedContent.numbered(size)
            let script = ServerScript { $0.method == "PUT" ? .response(201) : content.answer($0) }
            try await withLoopbackServer(script, keepsBodies: false) { server in
                let uploader = uploads.uploader()
                let downloader = DownloadFixture(directory: uploads.directory).downloader()
                let file = try uploads.file("big", String(repeating: "x", count: size))
                let both = [uploader.progress(of: "a"), downloader.progress(of: "a")]
                let sums = both.map { stream in
                    Task { await stream.reduce(into: [TransferProgress]()) { $0.append($1) } }
                }
                let upload = UploadFixture.request(server.url("/up"))
                #expect(await uploader.networkResponse(from: upload, uploading: file, with: "a").word == "success")
                let request = DownloadFixture.request(server.url("/down"))
                #expect(await downloader.networkResponse(from: request, with: "a").word == "success")
                for sum in sums {
                    let steps = await sum.value
                    #expect(steps.last == TransferProgress(completedByteCount: 2 << 20, totalByteCount: 2 << 20))
                    #expect(steps.map(\.completedByteCount) == steps.map(\.completedByteCount).sorted())
                }
                let late = uploader.progress(of: "never")
                await uploader.shutdown()
                await downloader.shutdown()
                #expect(await late.reduce(0) { count, _ in count + 1 } == 0)
            }
        }
    }

    @Test("Pending transfers say where they stand and when they are due")
    func pending() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { sent in
                switch sent.name {
                case "refused": .refused
                case "busy": .status(503, headers: [("Retry-After", "100")])
                default: .status(200)
                }
            }
            let uploader = uploads.uploader(transport, clock)
            func ask(_ name: String) async throws -> UploadResponse {
                await uploader.networkResponse(
                    from: UploadFixture.request("http://\(name).example/\(name)"), uploading: try uploads.file(),
                    with: name)
            }
            _ = try await ask("busy")
            let waiting = Task { try await ask("refused") }
            await clock.waitForSleeper()
            let pending = try await uploader.pendingTransfers()
            #expect(pending.map(\.identifier) == ["busy", "refused"])
            #expect(pending.map(\.state) == [.resting, .waiting])
            #expect(pending.map(\.attemptCount) == [1, 1])
            #expect(pending.map(\.byteCount) == [5, 5])
            #expect(pending[0].url == "http://busy.example/busy")
            #expect(pending[0].lastError == "the server answered 503")
            let due = try #require(pending[1].timeUntilDue)
            #expect(due >= .milliseconds(2_500) && due <= .seconds(5))
            waiting.cancel()
            _ = try await waiting.value
            await uploader.shutdown()
        }
    }

    @Test("With a provider an earlier launch's transfers go on, and the wait for them ends with the last")
    func earlierTransfers() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let offline = ScriptedTransport(clock: clock) { _ in .refused }
            let first = uploads.uploader(offline, clock)
            let file = try uploads.file()
            let waits = (0..<3).map { number in
                Task {
                    await first.networkResponse(
                        from: UploadFixture.request(Self.url), uploading: file, with: "t\(number)")
                }
            }
            while (0..<3).contains(where: { (try? uploads.record("t\($0)")) == nil }) { await Task.yield() }
            await first.shutdown()
            for wait in waits { _ = await wait.value }

            // Nobody knows their requests: there is nothing to wait for.
            let idle = uploads.uploader(offline, clock)
            try await idle.waitForEarlierTransfers()
            await withCheckedContinuation { done in idle.handleBackgroundSessionEvents { done.resume() } }
            #expect(try await idle.pendingTransfers().map(\.state) == [.resting, .resting, .resting])
            await idle.shutdown()

            var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
            configuration.rootDirectory = uploads.root
            configuration.requestProvider = { identifier in
                guard identifier != "t1" else { throw CancellationError() }
                return UploadFixture.request(Self.url)
            }
            let online = ScriptedTransport(clock: clock) { _ in .status(201) }
            var seams = SessionSeams()
            (seams.clock, seams.transport) = (clock, online)
            let second = Uploader(sessionConfiguration: configuration, seams: seams)
            let isOver = Gate()
            let passing = Task { await clock.pass { isOver.isOpen } }
            try await second.waitForEarlierTransfers()
            isOver.open()
            await passing.value
            #expect(online.sent.count == 2)
            // In the order in which they were written down, which is nobody's to say.
            let pending = try await second.pendingTransfers().sorted { $0.identifier < $1.identifier }
            #expect(pending.map(\.state) == [.ended, .resting, .ended])
            // Each outcome waits for whoever asks.
            for name in ["t0", "t2"] {
                let response = await second.networkResponse(
                    from: UploadFixture.request(Self.url), uploading: file, with: name)
                #expect(response.word == "success")
            }
            #expect(online.sent.count == 2)
            await second.shutdown()
        }
    }

    @Test("A ledger from before the first release is set aside, and its rows are carried over")
    func unreleasedLedger() async throws {
        try await withUploads { uploads in
            let files = POSIXFileSystem()
            try files.makeDirectories(uploads.root, permissions: 0o700)
            try SchemaTests.copy("ledger-unreleased.sqlite", to: uploads.root.appending("ledger.sqlite"))
            let uploader = uploads.uploader()
            #expect(try await uploader.pendingTransfers().isEmpty)
            await uploader.shutdown()
            for state in TransferState.allCases { #expect(try uploads.record(state.rawValue) != nil, "\(state)") }
            let names = try files.entries(of: files.openDirectory(uploads.root)).map(\.description)
            #expect(names.contains { $0.hasPrefix("ledger.sqlite.corrupt-") })
        }
    }

    @Test("Uploads that throw, and uploads with a handler, give the answer whatever it says")
    func otherCalls() async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) {
                $0.name == "tls" ? .noAnswer(.untrusted("expired")) : .status(404)
            }
            let uploader = uploads.uploader(transport, clock)
            let file = try uploads.file()
            let request = UploadFixture.request(Self.url)
            #expect(try await uploader.uploadFile(at: file, with: request, identifier: "a").status == .notFound)
            let untrusted = UploadFixture.request("http://collector.example/tls")
            await #expect(throws: NetworkResponseError.self) {
                try await uploader.uploadFile(at: file, with: untrusted, identifier: "b")
            }
            let status: Int? = await withCheckedContinuation { done in
                Task {
                    await uploader.beginUpload(of: file, with: request, identifier: "c") { identifier, result in
                        done.resume(returning: identifier == "c" ? try? result.get().status.code : nil)
                    }
                }
            }
            #expect(status == 404)
            await uploader.shutdown()
        }
    }
}
