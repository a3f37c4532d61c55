import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

/// Root runs programs, and the spool is another user's.
@Suite("Root in another user's spool", .enabled(if: getuid() == 0, "needs root"))
struct ReportRoomTests {
    private static let user: UInt32 = 65_534

    private func withFixture(_ body: (inout RunFixture) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            #expect(mkdir(fixture.spool, 0o700) == 0 && chown(fixture.spool, Self.user, Self.user) == 0)
            try whileNothingStarts { try body(&fixture) }
        }
    }

    /// The owner of a directory and of all above it.
    private func owners(_ path: String) -> Set<UInt32> {
        var (owners, url): (Set<UInt32>, URL) = ([], URL(fileURLWithPath: path))
        while true {
            var facts = stat()
            #expect(lstat(url.path, &facts) == 0, "\(url.path)")
            owners.insert(facts.st_uid)
            if url.path == "/" { return owners }
            url = url.deletingLastPathComponent()
        }
    }

    /// The spool's owner puts a link in the place of each run; then the program's runtime writes its report.
    private static let attack = #"""
        setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '
            cd "$home/spool/runs" && for run in *; do mv "$run" ".$run" && ln -s "$home/victim" "$run"; done'
        echo "$ERL_CRASH_DUMP" >"$home/where"
        echo "=erl_crash_dump:0.5" >"$ERL_CRASH_DUMP"
        """#

    @Test(
        "the spool's owner cannot lead a program of root's to another file, and the report arrives",
        .enabled(if: isInstalled("setpriv")))
    func notLed() async throws {
        try await withRunTool { tool in
            chmod(tool.home, 0o755)
            let spool = tool.home + "/spool"
            #expect(mkdir(spool, 0o700) == 0 && chown(spool, Self.user, Self.user) == 0)
            #expect(mkdir(tool.home + "/victim", 0o755) == 0)
            let victim = try tool.file("victim/erl_crash.dump", "precious")
            let script = try tool.file("attack", Self.attack)
            let result = try await tool.run("--", "sh", script)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
            // The attack took place.
            let runs = try FileManager.default.contentsOfDirectory(atPath: spool + "/runs")
            #expect(!runs.isEmpty)
            let names = try FileManager.default.contentsOfDirectory(atPath: spool + "/incoming")
            #expect(names.contains { $0.hasPrefix("erl_crash.dump") }, "\(names)")
            let place = try String(contentsOfFile: tool.home + "/where", encoding: .utf8).dropLast()
            #expect(!FileManager.default.fileExists(atPath: URL(fileURLWithPath: String(place)).path))
        }
    }

    /// The user below whose directory the spool lies moves the spool away, and puts a link in the place of the run.
    private static let attackFromAbove = #"""
        run=$(basename "$(dirname "$ERL_CRASH_DUMP")")
        setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '
            cd "$home/user" && mv spool moved && mkdir -p spool/runs && ln -s "$home/victim" "spool/runs/$0"' "$run"
        echo "=erl_crash_dump:0.5" >"$ERL_CRASH_DUMP"
        """#

    @Test(
        "nor can the owner of a directory on the way to a spool of root's own", .enabled(if: isInstalled("setpriv")))
    func notLedFromAbove() async throws {
        try await withRunTool { tool in
            var tool = tool
            chmod(tool.home, 0o755)
            tool.environment["REPORTS_SPOOL"] = tool.home + "/user/spool"
            #expect(mkdir(tool.home + "/user", 0o755) == 0)
            #expect(chown(tool.home + "/user", Self.user, Self.user) == 0)
            #expect(mkdir(tool.home + "/victim", 0o755) == 0)
            let victim = try tool.file("victim/erl_crash.dump", "precious")
            let script = try tool.file("attack", Self.attackFromAbove)
            let result = try await tool.run("--", "sh", script)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
            let names = try FileManager.default.contentsOfDirectory(atPath: tool.home + "/user/moved/incoming")
            #expect(names.contains { $0.hasPrefix("erl_crash.dump") }, "\(names)")
        }
    }

    @Test("a spool to which root alone can change the path has its runtime's reports in it")
    func inSpool() throws {
        try withTemporaryDirectory { directory in
            let run = try RunFixture(directory).make()
            #expect(run.reportPath == run.path)
            #expect(!FileManager.default.fileExists(atPath: directory + "/room"))
            run.discard()
        }
    }

    @Test("a link of another user's leads root to no directory of root's")
    func linkedSpool() throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            #expect(mkdir(directory + "/victim", 0o755) == 0 && symlink("victim", fixture.spool) == 0)
            #expect(lchown(fixture.spool, Self.user, Self.user) == 0)
            #expect(throws: RunTrouble.self) { _ = try fixture.make().discard() }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory + "/victim")
            #expect(names == [])
        }
    }

    @Test("a link that is put in the place of a new spool leads root nowhere")
    func swappedSpool() throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            let (spool, victim) = (fixture.spool, directory + "/victim")
            #expect(mkdir(victim, 0o755) == 0)
            // As the owner of the directory above could, as soon as it is there.
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if rename(spool, spool + ".moved") == 0 { symlink(victim, spool) }
            }
            #expect(throws: RunTrouble.self) { _ = try fixture.make(files: files).discard() }
            var facts = stat()
            #expect(stat(victim, &facts) == 0 && facts.st_mode & 0o7777 == 0o755)
            let names = try FileManager.default.contentsOfDirectory(atPath: victim)
            #expect(names == [])
        }
    }

    @Test("its runtime writes where root alone can change the path, and the run is told of from there")
    func apart() throws {
        try withFixture { fixture in
            let run = try fixture.make()
            let path = run.reportPath
            let place = try #require(path)
            #expect(owners(place) == [0])
            #expect(!place.hasPrefix(fixture.spool))
            run.note(fixture.start)
            try fixture.write(RunFixture.panic, to: place + "/panic.txt")
            _ = try run.conclude(
                fixture.end(.signalled(6, dumpedCore: false)), of: fixture.start, StderrExcerpt(),
                memory: fixture.memory, fixture.options)
            #expect(try fixture.drops().first { $0.kind == "crash" }?.payloadName == "panic.txt")
            #expect(!FileManager.default.fileExists(atPath: place))
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("one that was left is told of by root's next run, with what its runtime wrote")
    func left() throws {
        try withFixture { fixture in
            let place = try leave(fixture)
            try fixture.write(RunFixture.panic, to: place + "/panic.txt")
            #expect(try fixture.sweep().told.count == 1)
            #expect(try fixture.drops().first { $0.kind == "crash" }?.payloadName == "panic.txt")
            #expect(!FileManager.default.fileExists(atPath: place))
        }
    }

    private func leave(_ fixture: RunFixture) throws -> String {
        let run = try fixture.make()
        run.note(fixture.start)
        let path = run.reportPath
        return try #require(path)
    }

    @Test(
        "where others may change the path, or look into the room, its runtime gets none, and the run is told of",
        arguments: [true, false])
    func nowhere(isParentOpen: Bool) throws {
        try withFixture { fixture in
            let parent = URL(fileURLWithPath: fixture.reportRoom).deletingLastPathComponent().path
            #expect((isParentOpen ? chmod(parent, 0o777) : mkdir(fixture.reportRoom, 0o755)) == 0)
            let run = try fixture.make()
            #expect(run.reportPath == nil)
            run.note(fixture.start)
            _ = try run.conclude(
                fixture.end(.signalled(6, dumpedCore: false)), of: fixture.start, StderrExcerpt(),
                memory: fixture.memory, fixture.options)
            #expect(try fixture.drops().map(\.kind) == ["crash"])
            chmod(parent, 0o700)
        }
    }

    @Test("what the spool's owner has made in runs/ is left to that user")
    func ofOwner() throws {
        try withFixture { fixture in
            try fixture.write("SECRET", to: fixture.spool + "-secret")
            try fixture.make().discard()
            let path = "\(fixture.spool)/runs/01234567-89ab-4cde-8f01-23456789abcd"
            let secrets = fixture.spool + "-cwd"
            #expect(mkdir(path, 0o700) == 0 && mkdir(secrets, 0o755) == 0)
            #expect(link(fixture.spool + "-secret", secrets + "/hs_err_pid99999999.log") == 0)
            try fixture.write("1", to: path + "/lock")
            try fixture.write(
                #"{"program":{"name":"x","pid":99999999,"boot_id":"b","uid":0,"cwd":"\#(secrets)","started_at":0}}"#,
                to: path + "/run.json")
            for name in ["", "/lock", "/run.json"] { #expect(chown(path + name, Self.user, Self.user) == 0) }
            #expect(try fixture.sweep().told == [])
            #expect(fixture.entries("runs").count == 1 && fixture.entries("incoming") == [])
        }
    }

    @Test("a directory that is put in the place of a new room is not given away")
    func swapped() throws {
        try withFixture { fixture in
            let spool = fixture.spool
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .open, call.name == "runs" else { return }
                // As the owner could between the two calls: a directory of root's that has something in it.
                rmdir(spool + "/runs")
                mkdir(spool + "/runs", 0o700)
                close(creat(spool + "/runs/secret", 0o600))
            }
            #expect(throws: RunTrouble.self) { _ = try fixture.make(files: files).discard() }
            var facts = stat()
            #expect(stat(spool + "/runs", &facts) == 0 && facts.st_uid == 0)
        }
    }
}
