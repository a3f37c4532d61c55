import Diagnosis
import Digests
import DurableIO
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import CaptureRun

/// What a death becomes in the spool.
@Suite("The reports of a death")
struct IncidentTests {
    private func withFixture(_ body: (inout RunFixture) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            var fixture = RunFixture(directory)
            try body(&fixture)
        }
    }

    @Test("a new spool gets the two rooms that a program without a ledger makes, and nothing else")
    func rooms() throws {
        try withFixture { fixture in
            let run = try fixture.make()
            let entries = try FileManager.default.contentsOfDirectory(atPath: fixture.spool)
            #expect(entries.sorted() == ["incoming", "runs"])
            var facts = stat()
            #expect(stat(run.path, &facts) == 0)
            #expect(facts.st_mode & 0o7777 == 0o700)
            #expect(run.path == "\(fixture.spool)/runs/\(run.incident)")
            run.discard()
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("the runtime's file is the crash; the document has the rest, names it, and is diagnostic")
    func runtimeFile() throws {
        try withFixture { fixture in
            fixture.options.name = "shop"
            fixture.options.release = "2.1"
            fixture.options.annotations = ["region": "eu", "incident": "mine"]
            let names = try fixture.run(
                .signalled(6, dumpedCore: true), stderr: RunFixture.excerpt("starting\n"),
                leaving: ["panic.txt": RunFixture.panic])
            let drops = try fixture.drops()
            #expect(drops.map(\.name) == names.sorted())
            let file = try #require(drops.first { $0.payloadName == "panic.txt" })
            let document = try #require(drops.first { $0.payloadName?.hasPrefix("run-") == true })
            #expect(drops.count == 2)
            #expect(file.kind == "crash")
            #expect(file.text == RunFixture.panic)
            #expect(document.kind == "diagnostic")
            #expect(document.text.hasPrefix(#"{"format":"reports-run","version":1,"incident":""#))
            for drop in drops {
                #expect(drop.annotation("run.cause") == "signal")
                #expect(drop.annotation("run.signal") == "SIGABRT")
                #expect(drop.annotation("run.message") == "panic: till is empty")
                #expect(drop.annotation("run.program") == "shopd")
                #expect(drop.annotation("run.uptime-ms") == "5000")
                #expect(drop.annotation("service") == "shop")
                #expect(drop.annotation("version") == "2.1")
                #expect(drop.annotation("run.release") == "2.1")
                #expect(drop.annotation("region") == "eu")
                #expect(drop.annotation("incident") == document.json?["incident"]?.stringValue)
                #expect(drop.properties["occurred_at"]?.stringValue == document.json?["ended_at"]?.stringValue)
            }
            let named = document.json?["files"]?[0]
            #expect(named?["id"]?.stringValue == ContentHash(of: file.payload).hex)
            #expect(named?["format"]?.stringValue == "go-panic")
            #expect(document.json?["exit"]?["core_dumped"]?.boolValue == true)
            #expect(document.json?["stderr"]?["tail"]?.stringValue == "starting\n")
            #expect(document.json?["invocation_id"]?.stringValue == "0123abcd")
            #expect(fixture.entries("runs") == [])
        }
    }

    @Test("a crash on standard error is cut out from its mark on, and is the crash")
    func stderrCrash() throws {
        try withFixture { fixture in
            var excerpt = StderrExcerpt()
            let log = String(repeating: "x", count: 999) + "\n"
            let end = "\t/srv/shop/" + String(repeating: "y", count: 88) + "\n"
            excerpt.byteCount = UInt64(log.utf8.count * 100 + RunFixture.panic.utf8.count + end.utf8.count * 2_000)
            excerpt.headOffset = UInt64(log.utf8.count * 100)
            excerpt.head = Array(RunFixture.panic.utf8)
            excerpt.tail = Array(String(repeating: end, count: 10).utf8)
            try fixture.run(.exited(code: 2), stderr: excerpt)
            let drops = try fixture.drops()
            let text = try #require(drops.first { $0.kind == "crash" })
            #expect(drops.map(\.kind).sorted { $0 ?? "" < $1 ?? "" } == ["crash", "diagnostic"])
            #expect(text.payloadName?.hasPrefix("stderr-") == true)
            let incident = try #require(text.annotation("incident"))
            #expect(text.text.hasPrefix("[incident \(incident)]\npanic: till is empty\n"))
            #expect(text.text.contains("[... 199000 bytes of standard error left out ...]"))
            #expect(text.annotation("run.exit") == "2")
            let document = try #require(drops.first { $0.kind == "diagnostic" }?.json)
            #expect(document["stderr"]?["dropped"]?.integerValue == 299_000)
            #expect(document["stderr"]?["bytes"]?.integerValue == Int64(excerpt.byteCount))
        }
    }

    @Test("two deaths with the same last words are two crashes, each of its incident")
    func sameWords() throws {
        try withFixture { fixture in
            for _ in 0..<2 { try fixture.run(.exited(code: 2), stderr: RunFixture.excerpt(RunFixture.panic)) }
            let crashes = try fixture.drops().filter { $0.kind == "crash" }
            #expect(crashes.count == 2 && Set(crashes.map(\.payload)).count == 2)
            #expect(Set(crashes.compactMap { $0.annotation("incident") }).count == 2)
        }
    }

    @Test("head and tail that overlap are one text", arguments: [0, 10, 60, 127])
    func overlap(tailStart: Int) throws {
        let all = Array((0..<4).map { "line \($0) \(String(repeating: "z", count: 24))\n" }.joined().utf8)
        var excerpt = StderrExcerpt()
        excerpt.byteCount = UInt64(all.count)
        excerpt.headOffset = 32
        excerpt.head = Array(all[32..<96])
        excerpt.tail = Array(all[tailStart...])
        let text = try #require(StderrText(excerpt, of: .exited(code: 2)))
        if tailStart <= 96 {
            #expect(text.bytes == Array(all[32...]))
            #expect(text.droppedByteCount == UInt64(min(32, tailStart)))
        } else {
            #expect(text.droppedByteCount == UInt64(32 + tailStart - 96))
            #expect(text.bytes.starts(with: all[32..<96]) && text.bytes.suffix(1) == all.suffix(1))
        }
    }

    @Test(
        "without any of these the document is the crash, and says what can be said",
        arguments: [
            (.signalled(11, dumpedCore: false), "ended by SIGSEGV"),
            (.signalled(9, dumpedCore: false), "killed by another process (SIGKILL)"),
            (.exited(code: 139), "exit status 139: probably SIGSEGV"),
        ] as [(ProgramEnd.Status, String)])
    func documentAlone(status: ProgramEnd.Status, message: String) throws {
        try withFixture { fixture in
            try fixture.run(status)
            let drops = try fixture.drops()
            #expect(drops.map(\.kind) == ["crash"])
            #expect(drops[0].json?["message"]?.stringValue == message)
        }
    }

    @Test("Swift's message is the line before the signal")
    func swiftMessage() throws {
        try withFixture { fixture in
            let text = "main.swift:3: Fatal error: Index out of range\n\n*** Signal 5: Backtracing from 0x1...\n done\n"
            try fixture.run(.signalled(5, dumpedCore: false), stderr: RunFixture.excerpt(text))
            #expect(
                try fixture.drops()[0].annotation("run.message") == "main.swift:3: Fatal error: Index out of range")
        }
    }

    @Test(
        "a clean end, a request to end and a plain exit status leave nothing",
        arguments: [
            .exited(code: 0), .exited(code: 3), .signalled(15, dumpedCore: false),
        ] as [ProgramEnd.Status])
    func nothing(status: ProgramEnd.Status) throws {
        try withFixture { fixture in
            let names = try fixture.run(status, stderr: RunFixture.excerpt("bye\n"))
            #expect(names == [])
            #expect(fixture.entries("incoming") + fixture.entries("runs") == [])
        }
    }

    @Test("a clean end syncs nothing; a crash syncs each drop before it is moved")
    func syncs() throws {
        try withFixture { fixture in
            _ = try fixture.run(.exited(code: 0))
            let calls = Calls()
            let files = FaultingFileSystem { call throws(FileSystemError) in calls.list.withLock { $0.append(call) } }
            for (status, count) in [(.exited(code: 0), 0), (.signalled(6, dumpedCore: false), 2)]
                as [(ProgramEnd.Status, Int)]
            {
                calls.list.withLock { $0 = [] }
                let run = try fixture.make(files: files)
                run.note(fixture.start)
                if count > 0 { try fixture.write(RunFixture.panic, to: "\(run.path)/panic.txt") }
                _ = try run.conclude(
                    fixture.end(status), of: fixture.start, StderrExcerpt(), memory: fixture.memory, fixture.options)
                let made = calls.list.withLock { $0 }
                let moves = made.indices.filter { made[$0].operation == .rename && made[$0].room == "incoming" }
                let contentSyncs = made.indices.filter { made[$0].operation == .sync && made[$0].directory == nil }
                #expect(moves.count == count)
                #expect(contentSyncs.count == count)
                #expect(contentSyncs.allSatisfy { sync in moves.allSatisfy { sync < $0 } })
                #expect(made.contains { $0.operation == .sync && $0.room == "incoming" } == (count > 0))
                if count == 0 { #expect(!made.contains { $0.operation == .sync }) }
            }
        }
    }

    @Test("a program that went on and ended well, and has left a report, is told of")
    func cleanEndWithReport() throws {
        try withFixture { fixture in
            try fixture.run(.exited(code: 0), leaving: ["panic.txt": RunFixture.panic, "note.txt": "all is well\n"])
            let drops = try fixture.drops()
            #expect(drops.count == 3)
            #expect(drops.count { $0.kind == "crash" } == 1)
            #expect(drops.first { $0.kind == "crash" }?.payloadName == "panic.txt")
            #expect(drops.allSatisfy { $0.annotation("run.cause") == "file" })
        }
    }

    @Test("a clean end whose file tells of no crash is no crash")
    func requestedReport() throws {
        try withFixture { fixture in
            try fixture.run(.exited(code: 0), leaving: ["note.txt": "all is well\n"])
            #expect(try fixture.drops().allSatisfy { $0.kind == "diagnostic" })
        }
    }

    @Test("neither environment nor arguments are in any drop, unless asked for")
    func privacy() throws {
        try withFixture { fixture in
            let node = """
                {"header": {"nodejsVersion": "v20.0.0", "trigger": "Exception", "commandLine": ["node", "SECRET"]},
                 "javascriptStack": {"message": "TypeError: x", "stack": ["at f (/srv/a.js:2:5)"]},
                 "environmentVariables": {"SECRET": "SECRET", "REGION": "eu-1"}}
                """
            try fixture.run(.exited(code: 1), leaving: ["report.json": node])
            for name in fixture.entries("incoming") {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(fixture.spool)/incoming/\(name)"))
                #expect(bytes.range(of: Data("SECRET".utf8)) == nil, "\(name)")
            }
            #expect(fixture.entries("incoming").count == 2)
            let document = try #require(try fixture.drops().first { $0.kind == "diagnostic" }?.json)
            #expect(document["program"]?["arguments"]?.integerValue == 2)
            #expect(document["program"]?["argv"] == .null)
            #expect(try fixture.drops().first { $0.kind == "crash" }?.annotation("run.message") == "TypeError: x")

            fixture.options.tellsArguments = true
            fixture.options.annotatedVariables = ["REGION", "NONE"]
            try fixture.run(.signalled(6, dumpedCore: false))
            let asked = try #require(try fixture.drops().first { $0.annotation("REGION") != nil })
            #expect(asked.annotation("REGION") == "eu-1")
            #expect(asked.json?["program"]?["argv"]?[2]?.stringValue == "--token=SECRET")
        }
    }

    @Test("standard error that is not to be told is not; one that is no UTF-8 is told as bytes")
    func stderrModes() throws {
        try withFixture { fixture in
            try fixture.run(.signalled(6, dumpedCore: false), stderr: RunFixture.excerpt([0xff, 0x41, 0x0a]))
            let document = try #require(try fixture.drops().first?.json)
            #expect(document["stderr"]?["base64"]?.boolValue == true)
            #expect(document["stderr"]?["tail"]?.stringValue == "/0EK")
            fixture.options.stderr = .none
            let names = try fixture.run(.signalled(6, dumpedCore: false), stderr: RunFixture.excerpt("SECRET\n"))
            let other = try #require(try fixture.drops().first { names.contains($0.name) })
            #expect(other.json?["stderr"] == .null)
            #expect(!other.text.contains("SECRET"))
        }
    }

    @Test("a taken name gets the incident in front, and a hidden one is not hidden")
    func names() throws {
        try withFixture { fixture in
            for _ in 0..<2 {
                try fixture.run(.signalled(6, dumpedCore: false), leaving: [".panic.tmp": RunFixture.panic])
            }
            let names = try fixture.drops().filter { $0.kind == "crash" }.map(\.name)
            #expect(names.contains("_panic.tmp.gz"))
            #expect(names.contains { $0.hasSuffix("-_panic.tmp.gz") && $0.utf8.count == 37 + 13 })
        }
    }

    @Test("links, directories and pipes in the directory are no reports; an empty file is none either")
    func strangeEntries() throws {
        try withFixture { fixture in
            let outside = fixture.spool + "-outside"
            try fixture.write("SECRET", to: outside)
            let run = try fixture.make()
            run.note(fixture.start)
            #expect(symlink(outside, run.path + "/link") == 0)
            #expect(link(outside, run.path + "/hard") == 0)
            #expect(mkfifo(run.path + "/fifo", 0o600) == 0)
            #expect(mkdir(run.path + "/room", 0o700) == 0)
            try fixture.write("inner", to: run.path + "/room/file")
            try fixture.write("", to: run.path + "/empty")
            _ = try run.conclude(
                fixture.end(.signalled(6, dumpedCore: false)), of: fixture.start, StderrExcerpt(),
                memory: fixture.memory, fixture.options)
            #expect(try fixture.drops().map(\.kind) == ["crash"])
            #expect(fixture.entries("runs") == [])
            #expect(try String(contentsOfFile: outside, encoding: .utf8) == "SECRET")
        }
    }

    @Test("the report of a JVM in its directory is copied, an older one is not", arguments: [true, false])
    func javaReport(isNew: Bool) throws {
        try withFixture { fixture in
            var start = fixture.start
            start.workingDirectory = fixture.spool + "-cwd"
            start.startedAt = Int64(Date().timeIntervalSince1970 * 1_000) + (isNew ? -60_000 : 60_000)
            #expect(mkdir(fixture.spool + "-cwd", 0o700) == 0)
            let path = "\(fixture.spool)-cwd/hs_err_pid\(start.pid).log"
            try fixture.write("#\n# java_command: Main SECRET\njava_command: Main SECRET\n", to: path)
            let run = try fixture.make()
            run.note(start)
            _ = try run.conclude(
                fixture.end(.signalled(6, dumpedCore: false)), of: start, StderrExcerpt(), memory: fixture.memory,
                fixture.options)
            #expect(try fixture.drops().contains { $0.payloadName == "hs_err_pid\(start.pid).log" } == isNew)
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    /// How a file of a JVM that the program had started lies in its directory.
    enum ChildReport: CaseIterable {
        case fresh, old, linked, foreign
    }

    @Test(
        "so is that of a JVM that the program had started and that died just before it",
        arguments: ChildReport.allCases)
    func childOfJava(report: ChildReport) throws {
        try withFixture { fixture in
            let directory = fixture.spool + "-cwd"
            #expect(mkdir(directory, 0o700) == 0)
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            var start = fixture.start
            (start.workingDirectory, start.startedAt) = (directory, now - 60_000)
            let path = directory + (report == .foreign ? "/hs_err_pid1.log.txt" : "/hs_err_pid99999998.log")
            try fixture.write("#\n# SIGSEGV (0xb) at pc=0x1, pid=99999998, tid=2\n", to: path)
            if report == .linked { #expect(link(path, fixture.spool + "-other") == 0) }
            if report == .old {
                let age = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -30)]
                try FileManager.default.setAttributes(age, ofItemAtPath: path)
            }
            let run = try fixture.make()
            run.note(start)
            let end = ProgramEnd(.exited(code: 134), endedAt: now, uptimeMilliseconds: 60_000)
            _ = try run.conclude(end, of: start, StderrExcerpt(), memory: fixture.memory, fixture.options)
            let names = try fixture.drops().map(\.payloadName)
            #expect(names.contains("hs_err_pid99999998.log") == (report == .fresh), "\(names)")
            #expect(names.count == (report == .fresh ? 2 : 1), "\(names)")
        }
    }

    @Test("of a standard error of which nothing is kept, all is left out")
    func nothingKept() throws {
        try withFixture { fixture in
            var excerpt = StderrExcerpt()
            excerpt.byteCount = 6
            _ = try fixture.run(.signalled(6, dumpedCore: false), stderr: excerpt)
            let document = try #require(try fixture.drops().first?.json)
            #expect(document["stderr"]?["bytes"]?.integerValue == 6)
            #expect(document["stderr"]?["dropped"]?.integerValue == 6)
        }
    }

    @Test("drops in another user's spool are given to that user by root", .enabled(if: getuid() == 0))
    func heir() throws {
        try withFixture { fixture in
            #expect(mkdir(fixture.spool, 0o700) == 0)
            #expect(chown(fixture.spool, 65_534, 65_534) == 0)
            try fixture.run(.signalled(6, dumpedCore: false))
            for path in ["incoming", "runs"] + fixture.entries("incoming").map({ "incoming/\($0)" }) {
                var facts = stat()
                #expect(stat("\(fixture.spool)/\(path)", &facts) == 0)
                #expect(facts.st_uid == 65_534, "\(path)")
            }
        }
    }

    @Test("a spool of a version that is not known is not touched")
    func newerSpool() throws {
        try withFixture { fixture in
            #expect(mkdir(fixture.spool, 0o700) == 0)
            try fixture.write("2\n", to: fixture.spool + "/VERSION")
            #expect(throws: RunTrouble.self) { _ = try fixture.make().discard() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.spool) == ["VERSION"])
        }
    }
}

private final class Calls: Sendable {
    let list = Mutex<[FaultingFileSystem.Call]>([])
}
