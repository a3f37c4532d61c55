import DurableIO
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import CaptureRun

/// Runs whose processes died before they told of their programs.
@Suite("Runs that were left")
struct LeftRunsTests {
    private func withFixture(_ body: (inout RunFixture) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            // A child holds the locks of this process until it has become its program.
            try whileNothingStarts { try body(&fixture) }
        }
    }

    /// A run whose process is killed after it has written down what it started.
    private func leave(_ fixture: RunFixture, _ start: ProgramStart? = nil, stderr: String = "") throws -> String {
        let run = try fixture.make()
        fixture.startProgram(of: run)
        run.note(start ?? fixture.start)
        if let file = run.stderrFileMaker() { try POSIXFileSystem().write(Array(stderr.utf8), to: file) }
        return run.path
    }

    @Test("one is told of once, with what its runtime and standard error have left")
    func lost() throws {
        try withFixture { fixture in
            fixture.options.name = "shop"
            let path = try leave(fixture, stderr: "working\n")
            try fixture.write(RunFixture.panic, to: path + "/panic.txt")
            #expect(try fixture.sweep().told.count == 1)
            #expect(try fixture.sweep().told == [])
            let drops = try fixture.drops()
            #expect(drops.count == 2)
            #expect(drops.first { $0.kind == "crash" }?.payloadName == "panic.txt")
            #expect(drops.allSatisfy { $0.annotation("run.cause") == "lost" && $0.annotation("service") == "shop" })
            let document = try #require(drops.first { $0.kind == "diagnostic" }?.json)
            #expect(document["stderr"]?["tail"]?.stringValue == "working\n")
            #expect(document["ended_at"] == .null)
            #expect(document["program"]?["name"]?.stringValue == "shopd")
            #expect(!drops.contains { $0.text.contains("SECRET") })
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("one under way, and one whose program lives, are left alone")
    func living() throws {
        try withFixture { fixture in
            let run = try fixture.make()
            run.note(fixture.start)
            #expect(try fixture.sweep().livingCount == 1)
            var start = fixture.start
            (start.pid, start.startTicks) = (getpid(), try RunFixture.startTicks())
            _ = try leave(fixture, start)
            #expect(try fixture.sweep().livingCount == 2)
            #expect(fixture.entries("incoming") == [])
            // After a reboot, the number is another process's.
            fixture.clock.reboot(as: "boot-2", wall: fixture.clock.wallMilliseconds)
            #expect(try fixture.sweep().told.count == 1)
            run.discard()
            #expect(fixture.entries("runs") == [])
        }
    }

    /// What keeps a run where it is, although a sweep looks at it.
    enum Stay: CaseIterable { case isUnderWay, programLives, diskIsFull }

    @Test("a sweep that leaves a run where it is looks to no watcher like that run's end", arguments: Stay.allCases)
    func unheard(stay: Stay) async throws {
        try await withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            let path = try whileNothingStarts {
                var start = fixture.start
                if stay == .programLives { (start.pid, start.startTicks) = (getpid(), try RunFixture.startTicks()) }
                return try leave(fixture, start)
            }
            let told = Monitor<Set<String>>([])
            let files = POSIXFileSystem()
            let lock = try OwnerLock("lock", in: files.openDirectory(FilePath(path)))
            if stay == .isUnderWay { #expect(try lock.tryLock()) }
            let room = try files.openDirectory(FilePath(fixture.spool + "/runs"))
            let runs = WatchedDirectory("runs", room, for: .arrivals) { _, _ in .needed }
            let watcher = try DirectoryWatcher([runs], files: files) { _ in
            } onChange: { changes in
                told.withLock { $0.formUnion(changes.entries.filter(\.value).map(\.key.name.description)) }
            }
            let full = FaultingFileSystem { call throws(FileSystemError) in
                if call.room == FilePath(path).lastComponent?.string, call.change != nil {
                    throw FileSystemError(.create, "anything", .noSpace)
                }
            }
            for _ in 0..<3 {
                let result = try whileNothingStarts { try fixture.sweep(files: stay == .diskIsFull ? full : files) }
                #expect(result.livingCount + result.problems.count == 1)
            }
            try fixture.write("", to: path + "/marker")
            await told.wait { $0.contains("marker") }
            #expect(told.value == ["marker"])
            withExtendedLifetime((watcher, lock)) {}
        }
    }

    @Test("one of which another process is telling is worth another look: that process may not come to its end")
    func inHand() throws {
        try withFixture { fixture in
            let path = try leave(fixture)
            let files = POSIXFileSystem()
            let directory = try files.openDirectory(FilePath(path))
            let other = try RunLock.seize(in: directory, of: UserIdentity.current, files: files)
            let result = try fixture.sweep()
            #expect(result.told == [] && result.livingCount == 0)
            #expect(result.unfinishedCount == 1)
            _ = consume other
            #expect(try fixture.sweep().told.count == 1)
        }
    }

    @Test("a damaged record still yields a report", arguments: ["", "{", "[]", #"{"program":7,"end":{"cause":"x"}}"#])
    func damagedRecord(text: String) throws {
        try withFixture { fixture in
            let path = try leave(fixture)
            try fixture.write(text, to: path + "/run.json")
            #expect(try fixture.sweep().told.count == 1)
            #expect(try fixture.drops().map(\.kind) == ["crash"])
            #expect(try fixture.drops()[0].annotation("run.cause") == "lost")
        }
    }

    @Test("one that cannot be worked on keeps no other back")
    func stuck() throws {
        try withFixture { fixture in
            let path = try leave(fixture)
            #expect(unlink(path + "/lock") == 0)
            #expect(symlink("/etc/passwd", path + "/lock") == 0)
            // The run that comes next passes it over as well.
            _ = try leave(fixture)
            let result = try fixture.sweep()
            #expect(result.told.count == 1)
            #expect(result.problems.map(\.path) == ["runs/" + URL(fileURLWithPath: path).lastPathComponent])
            #expect(fixture.entries("runs").count == 1)
        }
    }

    @Test("a directory without a lock is rubbish after a minute, and no sooner")
    func unlocked() throws {
        try withFixture { fixture in
            fixture.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            let path = try leave(fixture)
            #expect(unlink(path + "/lock") == 0)
            #expect(try fixture.sweep().livingCount == 1)
            fixture.clock.advance(by: 61_000)
            #expect(try fixture.sweep().told == [])
            #expect(fixture.entries("runs") + fixture.entries("incoming") == [])
        }
    }

    @Test("the next run tells of those that were left before its program starts")
    func nextRun() throws {
        try withFixture { fixture in
            _ = try leave(fixture)
            let run = try fixture.make()
            #expect(try fixture.drops().map(\.kind) == ["crash"])
            run.discard()
        }
    }

    @Test("a damaged record of a program that was never started yields none", arguments: ["", "{"])
    func neverStarted(text: String) throws {
        try withFixture { fixture in
            let path = try fixture.make().path
            try fixture.write(text, to: path + "/run.json")
            #expect(try fixture.sweep().told == [])
            #expect(fixture.entries("runs") + fixture.entries("incoming") == [])
        }
    }

    /// A run whose process is killed together with its program after a request to end.
    private func leaveAsked(_ fixture: RunFixture, _ files: [String: String] = [:]) throws {
        let run = try fixture.make()
        fixture.startProgram(of: run)
        run.note(fixture.start)
        run.noteRequest()
        for (name, text) in files { try fixture.write(text, to: "\(run.path)/\(name)") }
    }

    @Test("one that was asked to end, and did not in its time, is no crash")
    func asked() throws {
        try withFixture { fixture in
            try leaveAsked(fixture)
            #expect(try fixture.sweep().told == [])
            #expect(fixture.entries("runs") + fixture.entries("incoming") == [])
        }
    }

    @Test("it is one where something tells of a crash", arguments: ["panic.txt", "stderr"])
    func askedAndCrashed(file: String) throws {
        try withFixture { fixture in
            try leaveAsked(fixture, [file: RunFixture.panic])
            #expect(try fixture.sweep().told.count == 1)
            #expect(try fixture.drops().first { $0.kind == "crash" }?.annotation("run.cause") == "lost")
        }
    }

    @Test("and where each kill is to be told of", arguments: [.kill, .any] as [RunOptions.Occasions])
    func askedOnKill(occasion: RunOptions.Occasions) throws {
        try withFixture { fixture in
            fixture.options.occasions = [.crash, occasion]
            try leaveAsked(fixture)
            #expect(try fixture.sweep().told.count == 1)
        }
    }

    @Test("a run starts before one that has left much is told of; the owner tells of it", arguments: [1, 1_200])
    func large(fileCount: Int) throws {
        try withFixture { fixture in
            let path = try leave(fixture)
            let text = String(repeating: "x", count: (fileCount == 1 ? 2 << 20 : 1))
            for number in 0..<fileCount { try fixture.write(text, to: "\(path)/erl_crash.dump\(number)") }
            let small = try leave(fixture)
            #expect(fixture.entries("runs").count == 2)
            let run = try fixture.make()
            #expect(!FileManager.default.fileExists(atPath: small))
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(try fixture.drops().count == 1)
            run.discard()
            #expect(try fixture.sweep().told.count == 1)
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("an orphan with megabytes of arguments is known to live, and its record has its name")
    func manyArguments() throws {
        try withFixture { fixture in
            fixture.options.tellsArguments = true
            fixture.options.name = "shop"
            fixture.options.command = ["shopd"] + Array(repeating: String(repeating: "x", count: 100_000), count: 4)
            var start = fixture.start
            (start.pid, start.startTicks) = (getpid(), ProcessFacts.startTicks(of: getpid()))
            _ = try leave(fixture, start)
            #expect(try fixture.sweep().livingCount == 1)
            fixture.clock.reboot(as: "boot-2", wall: fixture.clock.wallMilliseconds)
            #expect(try fixture.sweep().told.count == 1)
            let drop = try fixture.drops()[0]
            #expect(drop.annotation("service") == "shop")
            #expect(drop.json?["program"]?["arguments"]?.integerValue == 4)
            #expect(drop.json?["program"]?["argv_left_out"]?.integerValue == 3)
        }
    }

    // MARK: - Of other users

    private static let user: UInt32 = 65_534

    /// A directory as another user's `reports run` makes it in `incoming/`, with what a hostile user puts into it.
    private func leaveForeign(_ fixture: RunFixture) throws -> String {
        _ = try fixture.place()
        let incident = "01234567-89ab-4cde-8f01-23456789abcd"
        let path = "\(fixture.spool)/incoming/.run-\(incident)"
        try fixture.write("SECRET", to: fixture.spool + "-secret")
        #expect(mkdir(path, 0o770) == 0)
        try fixture.write("", to: path + "/lock")
        try fixture.write(
            #"{"program":{"name":"bobd","arguments":0,"pid":99999999,"boot_id":"b","cwd":"/root","started_at":0}}"#,
            to: path + "/run.json")
        try fixture.write(RunFixture.panic, to: path + "/panic.txt")
        for name in ["", "/lock", "/run.json", "/panic.txt"] { #expect(chown(path + name, Self.user, Self.user) == 0) }
        #expect(symlink(fixture.spool + "-secret", path + "/link") == 0)
        #expect(link(fixture.spool + "-secret", path + "/hard") == 0)
        try fixture.write("SECRET of root", to: path + "/root.txt")
        #expect(symlink(fixture.spool + "-secret", path + "/stderr.txt") == 0)
        return path
    }

    @Test(
        "another user's is told of once, with its user's number, and only with that user's own files",
        .enabled(if: getuid() == 0))
    func foreign() throws {
        try withFixture { fixture in
            let path = try leaveForeign(fixture)
            #expect(try fixture.sweep().told == [])
            #expect(try fixture.sweep(isOpenToAll: true).told.count == 1)
            #expect(try fixture.sweep(isOpenToAll: true).told == [])
            #expect(!FileManager.default.fileExists(atPath: path))
            let drops = try fixture.drops()
            #expect(drops.map(\.kind).sorted { $0 ?? "" < $1 ?? "" } == ["crash", "diagnostic"])
            #expect(drops.allSatisfy { $0.annotation("drop.uid") == "\(Self.user)" && !$0.text.contains("SECRET") })
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("another user's with links for its own files is told of without them", .enabled(if: getuid() == 0))
    func foreignLinks() throws {
        try withFixture { fixture in
            let path = try leaveForeign(fixture)
            for name in ["stderr"] { #expect(symlink(fixture.spool + "-secret", "\(path)/\(name)") == 0) }
            #expect(try fixture.sweep(isOpenToAll: true).told.count == 1)
            #expect(try !fixture.drops().contains { $0.text.contains("SECRET") })
        }
    }

    @Test("another user's survives a kill at every change, and is told of once", .enabled(if: getuid() == 0))
    func foreignKills() throws {
        for change in 1... {
            let isOver = try withTemporaryDirectory { directory in
                let fixture = RunFixture(directory)
                _ = try leaveForeign(fixture)
                let files = FaultingFileSystem(killedAt: change)
                whileNothingStarts { _ = try? fixture.sweep(files: files, isOpenToAll: true) }
                _ = try fixture.sweep(isOpenToAll: true)
                let kinds = try fixture.drops().map(\.kind)
                #expect(kinds.count { $0 == "crash" } == 1, "change \(change)")
                #expect(kinds.count == 2, "change \(change)")
                #expect(fixture.entries("runs") == [], "change \(change)")
                return !files.isDead
            }
            if isOver { return }
        }
    }
}
