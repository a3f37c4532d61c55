import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Drop zone")
struct DropZoneTests {
    private func standing(_ name: String, _ harness: SpoolHarness) throws -> DropZone.Readiness? {
        try DropZone(spool: harness.spool).drops().first { $0.name.description == name }?.readiness
    }

    // MARK: - What is skipped

    /// Something in `incoming/` that is not taken as it is, and a word of the reason.
    struct Skipped: Sendable, CustomTestStringConvertible {
        let name: String
        let reason: String
        let make: @Sendable (_ path: String) throws -> Void

        var testDescription: String { name }
    }

    private static func write(_ path: String, _ text: String = "payload") throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    static let leftAlone: [Skipped] = [
        Skipped(name: ".hidden", reason: "begins with a dot") { try write($0) },
        Skipped(name: "a.tmp", reason: "unfinished") { try write($0) },
        Skipped(name: "a.partial", reason: "unfinished") { try write($0) },
        Skipped(name: "locked", reason: "mode 000") {
            try write($0)
            chmod($0, 0)
        },
        Skipped(name: "link", reason: "symbolic link") {
            try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "/etc/hostname")
        },
        Skipped(name: "fifo", reason: "FIFO") { mkfifo($0, 0o600) },
        Skipped(name: "socket", reason: "socket") { #expect(bindSocket($0)) },
        Skipped(name: "a directory", reason: "directory, not a file") {
            try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false)
        },
        Skipped(name: "twice", reason: "2 links") {
            try write($0)
            try FileManager.default.linkItem(atPath: $0, toPath: $0 + ".tmp")
        },
        Skipped(name: "large", reason: "above the limit of 100") { try write($0, String(repeating: "x", count: 101)) },
    ]

    @Test("what is not a complete file of ours is left where it is, with a reason", arguments: leftAlone)
    func isSkipped(drop: Skipped) async throws {
        var limits = SpoolLimits()
        limits.maximumReportByteCount = 100
        try await withSpool(limits: limits) { harness in
            try drop.make("\(harness.path)/incoming/\(drop.name)")
            guard case .skipped(let why) = try standing(drop.name, harness) else {
                Issue.record("\(drop.name) is not skipped")
                return
            }
            #expect(why.contains(drop.reason))
            let before = try harness.entries("incoming")
            let summary = try await harness.submit()
            #expect(summary.delivered == 0)
            #expect(summary.skipped == before.count)
            #expect(try harness.entries("incoming") == before)
            #expect(try harness.findings(.note).contains { $0.hasPrefix("incoming/\(drop.name): not taken: ") })
        }
    }

    @Test("another user's files are left alone; any user's are taken in a shared spool", .enabled(if: geteuid() == 0))
    func foreignOwner() async throws {
        try await withSpool { harness in
            try harness.drop("foreign", "payload")
            #expect(chown("\(harness.path)/incoming/foreign", 12_345, 12_345) == 0)
            let reason = "belongs to user 12345, not to the spool's: change its owner, or share the spool (--shared)"
            #expect(try standing("foreign", harness) == .skipped(reason))
            // Root's are accepted whoever owns the spool.
            try harness.drop("root", "payload")
            let zone = DropZone(spool: harness.spool, user: 12_345)
            #expect(try zone.drops().map(\.readiness) == [.ready, .ready])

            var options = ReportSpool.Options()
            options.isShared = true
            let shared = try ReportSpool.open(FilePath(harness.path), isCreating: true, options: options)
            #expect(try DropZone(spool: try #require(shared)).drops().map(\.readiness) == [.ready, .ready])
        }
    }

    // MARK: - What is not complete

    @Test("a drop that somebody writes waits until it is closed")
    func beingWritten() async throws {
        try await withSpool { harness in
            try harness.drop("growing", "begun")
            let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(harness.path)/incoming/growing"))
            let summary = try await harness.submit()
            #expect(summary.delivered == 0)
            #expect(summary.skipped == 1)
            #expect(try harness.entries("incoming") == ["growing"])
            try writer.close()
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test(
        "where writers cannot be seen, a drop is taken when it has been still for two seconds",
        .enabled(if: geteuid() == 0), arguments: [0, 1_900, 2_100] as [Int64])
    func young(age: Int64) async throws {
        try await withSpool { harness in
            let path = harness.path
            chmod(URL(fileURLWithPath: path).deletingLastPathComponent().path, 0o755)
            try harness.drop("drop", "payload")
            chmod(path + "/incoming/drop", 0o644)
            let user: UInt32 = 12_345
            for name in ["", "/incoming", "/taken"] + (try harness.entries("")).map({ "/" + $0 }) {
                try #require(chown(path + name, user, user) == 0)
            }
            let zone = DropZone(spool: harness.spool, user: user)
            let facts = try #require(try zone.drops().first?.facts)
            harness.clock.setWall(facts.modified / 1_000_000 + age)
            // Another user's file: the kernel gives no lease on it.
            let standing = try withFiles(asUser: user) { () -> DropZone.Readiness? in
                let spool = try ReportSpool.open(FilePath(path), isCreating: false, clock: harness.clock)
                guard let spool else { return .beingWritten }
                let zone = DropZone(spool: spool, user: user)
                guard let drop = try zone.drops().first else { return .beingWritten }
                switch try zone.take(drop) {
                case .taken: return .ready
                case .notNow(let standing): return standing
                }
            }
            #expect(standing == (age < 2_000 ? .young : .ready))
            #expect(try harness.takenNames() == (age < 2_000 ? [] : ["drop"]))
        }
    }

    // MARK: - Names

    static let oddNames: [[UInt8]] = [
        Array("a\nb".utf8), [0x1b, 0x5b, 0x33, 0x31, 0x6d], [0xff, 0xfe, 0x80], Array("-rf".utf8), Array("é ü".utf8),
        [UInt8](repeating: 0x78, count: 255),
    ]

    @Test("names are bytes, and arrive as they were", arguments: oddNames)
    func names(bytes: [UInt8]) async throws {
        try await withSpool { harness in
            let name = try #require(EntryName(bytes: bytes))
            let files = harness.spool.files
            try files.write(Array("payload".utf8), to: files.createFile(name, in: harness.spool.incoming))
            #expect(try await harness.submit().delivered == 1)
            let view = try SpoolInspector(spool: harness.spool).report(ContentHash.of("payload").hex)
            #expect(view.name == bytes)
            #expect(try harness.entries("incoming") == [])
            #expect(try harness.entries("taken") == [])
        }
    }

    // MARK: - Races with producers

    @Test("a second drop over the name of one that is being collected: both arrive")
    func sameNameWhileCollecting() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            // The first has been renamed into taken/ and is about to be written to tmp/.
            guard call.operation == .create, call.room == "tmp", let harness = holder.withLock({ $0 }),
                (try? harness.takenNames()) == ["core"]
            else { return }
            holder.withLock { $0 = nil }
            try? harness.drop("core", "second")
        }
        try await withSpool(files: files) { harness in
            try harness.drop("core", "first")
            holder.withLock { $0 = harness }
            #expect(try await harness.submit().delivered == 2)
            #expect(try harness.state(.of("first")) == .delivered)
            #expect(try harness.state(.of("second")) == .delivered)
        }
    }

    @Test("a drop replaced between the look and the take: what is taken is looked at anew, in the same run")
    func replacedBeforeTake() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, let harness = holder.withLock({ $0 }) else { return }
            if call.room == "queued", call.name?.hasSuffix(".gz") != true {
                // While the first drop is taken in, another comes, for the next look.
                if (try? harness.entries("incoming")) == [] { try? harness.drop("core", "first") }
            } else if call.room == "taken", call.name == "core" {
                holder.withLock { $0 = nil }
                // By rename, as programs do that want their file to appear whole.
                let url = URL(fileURLWithPath: "\(harness.path)/incoming/core")
                // Whatever a child that is being started holds open is still being written.
                whileNothingStarts { try? Data("second".utf8).write(to: url, options: .atomic) }
            }
        }
        try await withSpool(files: files) { harness in
            try harness.drop("early", "early")
            holder.withLock { $0 = harness }
            let clock = harness.clock
            let summary = try await clock.racing { [submission = harness.submission] in try await submission.run() }
            #expect(summary.delivered == 2)
            #expect(try harness.state(.of("second")) == .delivered)
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("taken/ is never written over: a drop of a taken one's name lies beside it")
    func neverReplacesTaken() async throws {
        try await withSpool { harness in
            try Data("first".utf8).write(to: URL(fileURLWithPath: "\(harness.path)/taken/core"))
            try harness.drop("core", "second")
            #expect(try await harness.submit().delivered == 2)
        }
    }

    @Test("a drop written on after it was taken is collected again, and nothing of it is lost")
    func writtenOnWhileCollecting() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .rename, call.room == "queued", let harness = holder.withLock({ $0 }) else {
                return
            }
            holder.withLock { $0 = nil }
            guard let name = (try? harness.entries("taken"))?.first else { return }
            try? Data("first and more".utf8).write(to: URL(fileURLWithPath: "\(harness.path)/taken/\(name)"))
        }
        try await withSpool(files: files) { harness in
            try harness.drop("core", "first")
            holder.withLock { $0 = harness }
            #expect(try await harness.submit().delivered == 2)
            #expect(try harness.state(.of("first and more")) == .delivered)
            #expect(try harness.entries("taken") == [])
        }
    }

    @Test("a taken drop that cannot be collected holds nobody up, and is noted")
    func takenAndTooLarge() async throws {
        var limits = SpoolLimits()
        limits.maximumReportByteCount = 100
        try await withSpool(limits: limits) { harness in
            try Self.write("\(harness.path)/taken/large", String(repeating: "x", count: 101))
            try harness.add("one")
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.skipped == 1)
            #expect(summary.waiting == 0)
            #expect(try harness.entries("taken") == ["large"])
            let problem = "has 101 bytes, above the limit of 100: raise max_report_size to take it"
            #expect(try harness.findings(.note) == ["taken/large: left where it is: \(problem)"])
            #expect(try harness.reason(ofDrop: "large") == "skipped: \(problem)")
        }
    }

    @Test("what an earlier owner had taken is worked off first")
    func takenByTheDead() async throws {
        try await withSpool { harness in
            for text in ["a", "b"] { try Self.write("\(harness.path)/taken/\(text)", text) }
            #expect(try await harness.submit().delivered == 2)
            #expect(try harness.entries("taken") == [])
        }
    }
}

/// Makes a socket's entry, which stays when the socket is closed.
private func bindSocket(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
}
