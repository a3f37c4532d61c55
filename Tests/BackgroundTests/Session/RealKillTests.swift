import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

/// The example program, killed at some system call of an upload or a download, then run again with the same name.
///
/// `TRANSFER_KILLS` says how many kills there are for each direction; the default is 12.
@Suite(
    "Transfers killed at any system call", .timeLimit(.minutes(10)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct RealKillTests {
    private static let kills = TestEnvironment.number("TRANSFER_KILLS") ?? 12

    @Test("a download comes whole, and settled work is not done again", arguments: 0..<kills)
    func download(seed: Int) async throws {
        let points = try await Self.downloading.value
        try await Self.withDownload(seed) { arguments, content, downloads, server in
            try await killed(arguments, points, seed)
            let wasSettled = (try? downloads.record("a"))??.state == .delivered
            let requests = server.requests.count
            let second = try await TransfersProgram.run(arguments)
            #expect(second.status == 0, "\(second.errors)")
            let file = FilePath(second.output.split(separator: "\n").last.map(String.init) ?? "")
            #expect(try downloads.content(of: file) == content.bytes)
            if wasSettled { #expect(server.requests.count == requests) }
            #expect(server.requests.count <= requests + 1)
            // Handed out again for the asking.
            #expect(try await TransfersProgram.run(arguments).output == second.output)
        }
    }

    @Test("an upload arrives whole under one key, and settled work is not done again", arguments: 0..<kills)
    func upload(seed: Int) async throws {
        let points = try await Self.uploading.value
        try await Self.withUpload(seed) { arguments, uploads, server in
            try await killed(arguments, points, seed)
            let before = try? uploads.record("a")
            let requests = server.requests.count
            let second = try await TransfersProgram.run(arguments)
            #expect(second.status == 0, "\(second.errors)")
            let isHandedOver = before?.state == .delivered && before?.isAcknowledged == false
            if isHandedOver { #expect(server.requests.count == requests) }
            let complete = server.requests.filter(\.isComplete)
            #expect(!complete.isEmpty)
            #expect(Set(complete.map { $0.headers["Idempotency-Key"] }).count == 1)
            #expect(complete.allSatisfy { $0.bodyByteCount == complete[0].bodyByteCount })
        }
    }

    @Test("a transfer in a ledger that is being set aside is not lost", arguments: 0..<kills)
    func settingAside(seed: Int) async throws {
        let points = try await Self.settingAside.value
        try await Self.withOldLedger { arguments in
            try await killed(arguments, points, seed)
            let result = try await TransfersProgram.run(arguments)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.hasPrefix("upload   a: "), "\(result.output)")
        }
    }

    // MARK: - What the program does

    private static func withDownload(
        _ seed: Int, _ body: ([String], ServedContent, DownloadFixture, LoopbackServer) async throws -> Void
    ) async throws {
        try await withDownloads { downloads in
            // Its end is the program's: what comes after it is the finished file.
            let content = ServedContent.numbered(200_000, seed: UInt64(bitPattern: Int64(seed)))
            try await withLoopbackServer(ServerScript { content.answer($0) }) { server in
                let arguments = ["download", server.url("/a"), "--name", "a", "--root", downloads.root.string]
                try await body(arguments, content, downloads, server)
            }
        }
    }

    private static func withUpload(
        _ seed: Int, _ body: ([String], UploadFixture, LoopbackServer) async throws -> Void
    ) async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                let file = try uploads.file("report", String(repeating: "report \(seed) ", count: 40_000))
                let place = ["--name", "a", "--root", uploads.root.string]
                try await body(["upload", file.string, server.url("/a")] + place, uploads, server)
            }
        }
    }

    private static func withOldLedger(_ body: ([String]) async throws -> Void) async throws {
        try await withUploads { uploads in
            let clock = ManualClock()
            let uploader = uploads.uploader(ScriptedTransport(clock: clock) { _ in .refused }, clock)
            let file = try uploads.file()
            let wait = Task {
                await uploader.networkResponse(
                    from: UploadFixture.request("http://a.example/a"), uploading: file, with: "a")
            }
            await clock.waitForSleeper()
            await uploader.shutdown()
            _ = await wait.value
            // As one from before the first release, whose rows are carried over.
            try tamper(with: uploads.root.appending("ledger.sqlite").string, "PRAGMA user_version=4")
            try await body(["pending", "--root", uploads.root.string])
        }
    }

    // MARK: - Kills

    private static let downloading = Task {
        try await points { body in try await withDownload(-1) { arguments, _, _, _ in try await body(arguments) } }
    }
    private static let uploading = Task {
        try await points { body in try await withUpload(-1) { arguments, _, _ in try await body(arguments) } }
    }
    private static let settingAside = Task { try await points { body in try await withOldLedger(body) } }

    /// The calls of a run that nobody kills, from the first that names its directory.
    private static func points(
        _ scene: (([String]) async throws -> Void) async throws -> Void
    ) async throws -> [KillPoint] {
        var points: [KillPoint] = []
        try await scene { arguments in
            points = try await KillPoint.trace(
                [TransfersProgram.path] + arguments, from: arguments.last ?? ""
            ).points
        }
        #expect(points.count > 100, "\(points.count) calls")
        return points
    }

    private func killed(_ arguments: [String], _ points: [KillPoint], _ seed: Int) async throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 31 &+ 7)
        let point = try #require(points.randomElement(using: &generator))
        _ = try await point.kill([TransfersProgram.path] + arguments)
    }
}

/// The memory of a download is that of its pieces, not of its whole.
@Suite("A large download", .timeLimit(.minutes(10)))
struct LargeDownloadTests {
    @Test("256 MiB come in at most 64 MiB of memory")
    func memory() async throws {
        try await withDownloads { downloads in
            let (size, piece) = (256 << 20, [UInt8](repeating: 0x52, count: 1 << 20))
            let head = "HTTP/1.1 200 OK\r\nETag: \"big\"\r\nContent-Length: \(size)\r\n\r\n"
            let script = ServerScript.always(.raw(head).then(.raw(piece, times: size / piece.count)))
            try await withLoopbackServer(script) { server in
                // The kernel keeps the highest mark; the last look before the end sees it.
                let watch = """
                    "$0" "$@" & pid=$!
                    while grep VmHWM /proc/$pid/status 2>/dev/null; do sleep 0.02; done
                    wait $pid
                    """
                let arguments = ["download", server.url("/a"), "--name", "a", "--root", downloads.root.string]
                let result = try await runAsynchronously("sh", ["-c", watch, TransfersProgram.path] + arguments)
                #expect(result.status == 0, "\(result.errors)")
                let marks = result.output.split(separator: "\n").filter { $0.hasPrefix("VmHWM") }
                    .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
                let peak = try #require(marks.last)
                #expect(peak < 64 << 10, "\(peak) KiB")
                let files = POSIXFileSystem()
                let folder = try files.openDirectory(downloads.root.appending("downloads"))
                let name = try #require(try files.entries(of: folder).first)
                #expect(try files.metadata(of: name, in: folder)?.size == UInt64(size))
            }
        }
    }
}
