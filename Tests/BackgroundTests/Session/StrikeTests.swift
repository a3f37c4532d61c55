import Background
import DurableIO
import HTTPTypes
import Logging
import SystemPackage
import TestSupport
import Testing

/// Transfers that were alone under way each time their program died: somebody who asks for one has it tried at once.
@Suite("Transfers whose program was killed", .timeLimit(.minutes(3)))
struct StrikeTests {
    private static let limit = PoisonPolicy.limit

    /// Leaves a transfer behind that was begun, then so many lives that ended without order while it was under way.
    private static func leaveBehind(_ rowName: String, deaths: Int, in root: FilePath) throws {
        for _ in 0..<deaths {
            let store = try TransferStore(path: root.appending("ledger.sqlite").string, clock: LinuxClock())
            try store.restEarlierTransfers(exceptLabel: nil)
            try store.transaction { () throws in
                try store.wakeResting(identifier: rowName)
                let row = try #require(try store.queries.record(rowName)?.rowID)
                _ = try #require(try store.claimDue(row: row, acceptedMark: 0))
            }
            store.abandon()
        }
    }

    private static func beginUpload(_ uploads: UploadFixture, _ file: FilePath, to url: String) async throws {
        let clock = ManualClock()
        let transport = ScriptedTransport(clock: clock) { _ in
            await Gate().wait()
            return .refused
        }
        let uploader = uploads.uploader(transport, clock)
        let wait = Task {
            await uploader.networkResponse(from: UploadFixture.request(url), uploading: file, with: "a")
        }
        await transport.waitForSent(count: 1)
        wait.cancel()
        _ = await wait.value
        await uploader.shutdown()
    }

    // MARK: - Uploads

    @Test("An upload is sent at once when it is asked for, and who looks on is told why it waited", arguments: 1...4)
    func upload(deaths: Int) async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                let file = try uploads.file()
                try await Self.beginUpload(uploads, file, to: server.url("/a"))
                // A life of more strikes than that does not claim it by itself.
                try Self.leaveBehind("a", deaths: min(deaths, Self.limit), in: uploads.root)
                let notices = Notices()
                let uploader = uploads.uploader { $0.logger = notices.logger }
                let pending = try #require(try await uploader.pendingTransfers().first)
                if deaths >= Self.limit {
                    #expect(pending.state == .waiting && pending.reason == .suspected)
                    #expect(try #require(pending.timeUntilDue) > .seconds(3_500))
                    #expect(notices.all.contains { $0.contains("Transfer is held") && $0.contains("strikes=3") })
                } else {
                    #expect(pending.state == .resting && pending.reason == .notAsked)
                }
                let response = await uploader.networkResponse(
                    from: UploadFixture.request(server.url("/a")), uploading: file, with: "a")
                #expect(response.word == "success")
                #expect(notices.all.contains { $0.contains("tried alone") && $0.contains("transfer.id=a") })
                #expect(try uploads.record("a")?.strikes == 0)
                await uploader.shutdown()
            }
        }
    }

    @Test("It goes alone: nothing starts beside it, and what was asked for later waits for it")
    func alone() async throws {
        try await withUploads { uploads in
            let url = "http://collector.example/a"
            let file = try uploads.file()
            try await Self.beginUpload(uploads, file, to: url)
            try Self.leaveBehind("a", deaths: Self.limit, in: uploads.root)
            let (others, suspect) = (Gate(), Gate())
            let clock = ManualClock()
            let transport = ScriptedTransport(clock: clock) { sent in
                await (sent.name == "a" ? suspect : others).wait()
                return .status(201)
            }
            let uploader = uploads.uploader(transport, clock)
            let ask = { @Sendable (name: String) in
                await uploader.networkResponse(
                    from: UploadFixture.request("http://collector.example/\(name)"), uploading: file, with: name
                ).word
            }
            async let first = ask("b")
            await transport.waitForSent(count: 1)
            async let second = ask("a")
            while try uploads.record("a")?.state != .waiting { await Task.yield() }
            async let third = ask("c")
            while try uploads.record("c") == nil { await Task.yield() }
            others.open()
            await transport.waitForSent(count: 2)
            suspect.open()
            #expect(await [first, second, third] == ["success", "success", "success"])
            let order = transport.sent
            #expect(order.map(\.name) == ["b", "a", "c"])
            #expect(order.allSatisfy { $0.inFlight == 1 })
            await uploader.shutdown()
        }
    }

    @Test("An upload in parts goes on at once where the server is")
    func parts() async throws {
        try await withUploads { uploads in
            let server = try DraftResumableServer()
            defer { server.stop() }
            let file = try uploads.file("large", String(repeating: "0123456789abcdef", count: 1 << 20))
            try await Self.beginUpload(uploads, file, to: server.url("/a"))
            try Self.leaveBehind("a", deaths: Self.limit, in: uploads.root)
            let uploader = uploads.uploader()
            let response = await uploader.networkResponse(
                from: UploadFixture.request(server.url("/a")), uploading: file, with: "a")
            #expect(response.word == "success")
            #expect(server.reports.map(\.body.count) == [16 << 20])
            await uploader.shutdown()
        }
    }

    // MARK: - Downloads

    @Test("A download that comes further than ever is no suspect any more while it lasts, and others go beside it")
    func furtherThanEver() async throws {
        try await withDownloads { downloads in
            let release = Gate()
            try await withLoopbackServer(Self.slowContent(release)) { server in
                try await Self.beginDownload(downloads, server.url("/a"), until: 0)
                try Self.leaveBehind("\u{1f}da", deaths: Self.limit, in: downloads.root)
                let downloader = downloads.downloader()
                let progress = downloader.progress(of: "a")
                let request = Self.request(server, "/a")
                let suspect = Task { await downloader.networkResponse(from: request, with: "a").word }
                for await step in progress where step.completedByteCount >= 17 << 20 { break }
                let record = try #require(try downloads.record("a"))
                #expect(record.state == .sending && record.strikes == 0 && !record.isSuspect)
                // Another one comes and goes meanwhile.
                let other = await downloader.networkResponse(from: Self.request(server, "/b"), with: "b")
                #expect(other.word == "success")
                release.open()
                #expect(await suspect.value == "success")
                await downloader.shutdown()
            }
        }
    }

    @Test("One that comes only as far as before keeps its strikes, whatever it is asked for")
    func noFurther() async throws {
        try await withDownloads { downloads in
            let release = Gate()
            // Without a validator each attempt begins at the beginning.
            try await withLoopbackServer(Self.slowContent(release, tag: nil)) { server in
                try await Self.beginDownload(downloads, server.url("/a"), until: 17 << 20)
                #expect(try downloads.record("a")?.state == .waiting)
                try Self.leaveBehind("\u{1f}da", deaths: Self.limit, in: downloads.root)
                let downloader = downloads.downloader()
                let progress = downloader.progress(of: "a")
                let request = Self.request(server, "/a")
                let suspect = Task { await downloader.networkResponse(from: request, with: "a").word }
                for await step in progress where step.completedByteCount >= 17 << 20 { break }
                let record = try #require(try downloads.record("a"))
                #expect(record.state == .sending && record.strikes == Self.limit && record.isSuspect)
                release.open()
                #expect(await suspect.value == "success")
                await downloader.shutdown()
            }
        }
    }

    private static func request(_ server: LoopbackServer, _ path: String) -> HTTPRequest {
        DownloadFixture.request(server.url(path))
    }

    /// 20 MiB of which the last come when the gate opens; anything but `/a` is small and comes at once.
    private static func slowContent(_ release: Gate, tag: String? = "\"a\"") -> ServerScript {
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        let field = tag.map { "ETag: \($0)\r\n" } ?? ""
        let head = "HTTP/1.1 200 OK\r\n\(field)Content-Length: \(20 << 20)\r\n\r\n"
        return ServerScript { request in
            guard request.target.hasSuffix("/a") else { return .response(200, text: "small") }
            return .raw(head).then(.raw(piece, times: 18)).then(.delay(until: release, then: .raw(piece, times: 2)))
        }
    }

    /// Begins it and lets so much come, or nothing, without an answer.
    private static func beginDownload(_ downloads: DownloadFixture, _ url: String, until count: UInt64) async throws {
        var configuration = BackgroundSessionConfiguration.background(withIdentifier: "com.example.test")
        configuration.rootDirectory = downloads.root
        var seams = SessionSeams()
        let silence = ScriptedTransport(clock: LinuxClock()) { _ in
            await Gate().wait()
            return .refused
        }
        if count == 0 { seams.transport = silence }
        let downloader = Downloader(sessionConfiguration: configuration, seams: seams)
        let progress = downloader.progress(of: "a")
        let wait = Task { await downloader.networkResponse(from: DownloadFixture.request(url), with: "a") }
        if count == 0 {
            await silence.waitForSent(count: 1)
        } else {
            for await step in progress where step.completedByteCount >= count { break }
        }
        wait.cancel()
        _ = await wait.value
        await downloader.shutdown()
    }

    // MARK: - The real thing

    @Test("The example program, killed three times while its bytes move, goes on at once the fourth time, and says why")
    func killed() async throws {
        try await withDownloads { downloads in
            let content = ServedContent.numbered(300_000)
            let cut = Cut(after: 200_000)
            let script = ServerScript { request in
                content.answer(request, cut: request.index < Self.limit ? cut : nil)
            }
            try await withLoopbackServer(script) { server in
                let arguments = ["download", server.url("/a"), "--name", "a", "--root", downloads.root.string]
                for _ in 0..<Self.limit {
                    // Once some of it is on disk.
                    let kill = """
                        rm -f "$0"/downloads/*.part
                        "$@" & pid=$!
                        for n in $(seq 2000); do [ -s "$0"/downloads/*.part ] && break; sleep 0.01; done 2>/dev/null
                        kill -9 $pid; wait $pid
                        """
                    _ = try await runAsynchronously(
                        "bash", ["-c", kill, downloads.root.string, TransfersProgram.path] + arguments)
                }
                let pending = try await TransfersProgram.run(["pending", "--root", downloads.root.string])
                #expect(pending.output.contains("the program died each time while it alone was being sent; tried in"))
                let last = try await TransfersProgram.run(arguments)
                #expect(last.status == 0, "\(last.errors)")
                #expect(last.errors.contains("found a waiting: the program died"))
                let file = FilePath(last.output.split(separator: "\n").last.map(String.init) ?? "")
                #expect(try downloads.content(of: file) == content.bytes)
            }
        }
    }
}

/// What a session has logged at notice or above.
private final class Notices: Sendable {
    private let lines = Monitor<[String]>([])

    var all: [String] { lines.value }

    var logger: Logger {
        Logger(label: "test") { [lines] _ in Handler(lines: lines) }
    }

    private struct Handler: LogHandler {
        let lines: Monitor<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.notice

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            lines.withLock { $0.append("\(event.message) \(text)") }
        }
    }
}
