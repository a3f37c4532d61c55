import Background
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A session's ledger that is lost, damaged, or on a full disk.
@Suite("The ledger of a session", .timeLimit(.minutes(10)))
struct SessionLedgerTests {
    private static let url = "http://collector.example/a"

    private func names(_ uploads: UploadFixture) throws -> [String] {
        let files = POSIXFileSystem()
        return try files.entries(of: files.openDirectory(uploads.root)).map(\.description)
    }

    private func path(_ uploads: UploadFixture, _ name: String) -> String { uploads.root.appending(name).string }

    /// Two transfers: the server has `a`, and nobody has been told; `b` failed once.
    private func leaveTwo(_ uploads: UploadFixture, _ clock: ManualClock, _ file: FilePath) async throws {
        let gate = Gate()
        let transport = ScriptedTransport(clock: clock) { sent in
            await gate.wait()
            return sent.name == "a" ? .status(201) : .refused
        }
        let uploader = uploads.uploader(transport, clock)
        let run = Task { try await uploader.run() }
        let waits = ["a", "b"].map { name in
            Task {
                await uploader.networkResponse(
                    from: UploadFixture.request("http://\(name).example/\(name)"), uploading: file, with: name)
            }
        }
        await transport.waitForSent(count: 2)
        for wait in waits { wait.cancel() }
        for wait in waits { _ = await wait.value }
        gate.open()
        while try uploads.record("a")?.state != .delivered || uploads.record("b")?.state != .waiting {
            await Task.yield()
        }
        await uploader.shutdown()
        try await run.value
    }

    @Test("Of a damaged ledger every row that can be read is carried over: what waits, and an outcome nobody has seen")
    func salvaged() async throws {
        try await withUploads { uploads in
            let (clock, file) = (ManualClock(), try uploads.file())
            try await leaveTwo(uploads, clock, file)
            try tamper(with: path(uploads, "ledger.sqlite"), "UPDATE engine SET is_clean=0")
            try damageTable("attempt", in: path(uploads, "ledger.sqlite"))

            let transport = ScriptedTransport(clock: clock) { _ in .status(200) }
            let next = uploads.uploader(transport, clock)
            #expect(try await next.pendingTransfers().map(\.identifier).sorted() == ["a", "b"])
            let response = await next.networkResponse(
                from: UploadFixture.request("http://a.example/a"), uploading: file, with: "a")
            #expect(response.word == "success")
            #expect(transport.sent.isEmpty)
            await next.shutdown()
            #expect(try names(uploads).contains { $0.hasPrefix("ledger.sqlite.corrupt-") })
            #expect(try names(uploads).allSatisfy { !$0.hasPrefix("ledger.salvaged") })
        }
    }

    @Test("A session that is shut down while its ledger is checked does not wait for it; the next one checks it again")
    func shutDownWhileOpening() async throws {
        try await withUploads { uploads in
            let (clock, file) = (ManualClock(), try uploads.file())
            try await leaveTwo(uploads, clock, file)
            try tamper(with: path(uploads, "ledger.sqlite"), "UPDATE engine SET is_clean=0")
            let hasBegun = Gate()
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.name == "ledger.sqlite-shm" else { return }
                hasBegun.open()
                // A check that takes for ever.
                while !Task.isCancelled { sched_yield() }
            }
            let uploader = uploads.uploader(ScriptedTransport(clock: clock) { _ in .refused }, clock, files: files)
            let pending = Task { try await uploader.pendingTransfers() }
            await hasBegun.wait()
            await uploader.shutdown()
            await #expect { try await pending.value } throws: { ($0 as? NetworkResponseError)?.code == .cancelled }
            #expect(try names(uploads).contains("ledger.sqlite"))
            #expect(try names(uploads).allSatisfy { !$0.contains(".corrupt-") })

            let next = uploads.uploader(ScriptedTransport(clock: clock) { _ in .refused }, clock)
            #expect(try await next.pendingTransfers().map(\.identifier).sorted() == ["a", "b"])
            await next.shutdown()
        }
    }

    @Test("A session whose opening ends well after it was called off keeps nobody out")
    func openedInVain() async throws {
        try await withUploads { uploads in
            let (hasBegun, isCalledOff) = (Gate(), Gate())
            let mayGoOn = Monitor(false)
            let clock = ManualClock()
            let files = FaultingFileSystem { call throws(FileSystemError) in
                // One of its last steps.
                guard call.operation == .list, call.room == "ledger.tmp", !mayGoOn.value else { return }
                hasBegun.open()
                while !Task.isCancelled { sched_yield() }
                isCalledOff.open()
                while !mayGoOn.value { sched_yield() }
            }
            let uploader = uploads.uploader(ScriptedTransport(clock: clock) { _ in .refused }, clock, files: files)
            let first = Task { try await uploader.pendingTransfers() }
            await hasBegun.wait()
            let leaving = Task { await uploader.shutdown() }
            await isCalledOff.wait()
            let others = (0..<8).map { _ in Task { try await uploader.pendingTransfers() } }
            // One of them asks for a new opening meanwhile.
            for _ in 0..<10_000 { await Task.yield() }
            mayGoOn.withLock { $0 = true }
            for other in others + [first] {
                let found = try await other.value
                #expect(found.isEmpty)
            }
            await leaving.value
            await uploader.shutdown()
        }
    }

    @Test("A log without its ledger is set aside as it is, and said", arguments: [false, true])
    func orphanedLog(hasEmptyLedger: Bool) async throws {
        try await withUploads { uploads in
            try FileManager.default.createDirectory(atPath: uploads.root.string, withIntermediateDirectories: true)
            let log = Data("a log of whatever ledger".utf8)
            try log.write(to: URL(fileURLWithPath: path(uploads, "ledger.sqlite-wal")))
            if hasEmptyLedger { try Data().write(to: URL(fileURLWithPath: path(uploads, "ledger.sqlite"))) }
            let record = RecordedLog()
            let uploader = uploads.uploader { $0.logger = record.logger }
            #expect(try await uploader.pendingTransfers().isEmpty)
            await uploader.shutdown()
            let aside = try names(uploads).filter { $0.contains(".corrupt-") && $0.hasSuffix("-wal") }
            #expect(aside.count == 1)
            for name in aside { #expect(try Data(contentsOf: URL(fileURLWithPath: path(uploads, name))) == log) }
            #expect(record.lines.contains { $0.hasPrefix("error: Ledger is missing; its log was set aside") })
        }
    }

    @Test("A ledger of a later version is refused and not touched")
    func newerVersion() async throws {
        try await withUploads { uploads in
            let uploader = uploads.uploader()
            #expect(try await uploader.pendingTransfers().isEmpty)
            await uploader.shutdown()
            let ledger = URL(fileURLWithPath: path(uploads, "ledger.sqlite"))
            // `user_version` lies at offset 60 of the file's header (sqlite.org/fileformat.html).
            var bytes = try Data(contentsOf: ledger)
            bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
            try bytes.write(to: ledger)
            let error = await #expect(throws: NetworkResponseError.self) { try await uploader.pendingTransfers() }
            #expect(error?.code == .storage)
            #expect(try Data(contentsOf: ledger) == bytes)
        }
    }

    @Test("Everything a full disk would not give later is there before the first transfer, the reserve included")
    func whole() async throws {
        try await withUploads { uploads in
            let uploader = uploads.uploader()
            #expect(try await uploader.pendingTransfers().isEmpty)
            let expected = [
                "ledger.reserve", "ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal", "ledger.tmp", "owner.lock",
            ]
            #expect(try names(uploads) == expected)
            let size = try FileManager.default.attributesOfItem(atPath: path(uploads, "ledger.reserve"))[.size] as? Int
            #expect(size ?? 0 >= 1 << 20)
            await uploader.shutdown()
            #expect(try names(uploads) == expected)
        }
    }

    @Test("Files of the app in the root directory stay, also those in a folder tmp/")
    func filesOfTheApp() async throws {
        try await withUploads { uploads in
            try FileManager.default.createDirectory(
                atPath: path(uploads, "tmp/deeper"), withIntermediateDirectories: true)
            let paths = ["tmp/draft", "tmp/deeper/draft", "draft"].map { path(uploads, $0) }
            for path in paths { try Data("a draft".utf8).write(to: URL(fileURLWithPath: path)) }
            let uploader = uploads.uploader()
            #expect(try await uploader.pendingTransfers().isEmpty)
            await uploader.shutdown()
            #expect(paths.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        }
    }

    @Test(
        "A full disk: the reserve lets a transfer be written down, sent and settled",
        .enabled(if: geteuid() == 0 && findExecutable("unshare") != nil, "needs root for a small file system"))
    func fullDisk() async throws {
        try await withUploads { uploads in
            try await withLoopbackServer(.always(.response(201))) { server in
                try FileManager.default.createDirectory(atPath: uploads.root.string, withIntermediateDirectories: true)
                let file = try uploads.file()
                let script = """
                    mount -t tmpfs -o size=8m,mode=700 none "$root" || exit 99
                    "$program" upload "\(file)" "\(server.url("/a"))" --name first --root "$root" || exit 98
                    cat /dev/zero > "$root/fill" 2>/dev/null
                    "$program" upload "\(file)" "\(server.url("/b"))" --name second --root "$root"; echo "second $?"
                    "$program" pending --root "$root"; echo "pending $?"
                    """
                let result = try await runAsynchronously(
                    "unshare", ["-m", "/bin/sh", "-c", script],
                    environment: [
                        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "root": uploads.root.string,
                        "program": TransfersProgram.path,
                    ])
                // Without the right to mount there is nothing to see.
                if result.status == 99 { return }
                #expect(result.output.contains("second 0\npending 0\n"), "\(result.output)\(result.errors)")
                #expect(server.requests.map(\.target) == ["/a", "/b"])
            }
        }
    }
}
