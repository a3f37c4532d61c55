import DurableIO
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

@Suite("The plan for standard error")
struct StderrPlanTests {
    private func plan(_ descriptor: Int32, _ mode: RunOptions.StderrMode = .auto) -> StderrPlan {
        var journal = JournalAccess()
        journal.stream = nil
        return StderrPlan(mode, descriptor: descriptor, journal: journal)
    }

    private func opened(_ path: String, _ flags: Int32) throws -> OwnedDescriptor {
        let raw = open(path, flags | O_CLOEXEC | O_NOCTTY, 0o600)
        try #require(raw >= 0, "\(path)")
        return OwnedDescriptor(adopting: raw, path: path)
    }

    @Test("/dev/null and a pipe are copied, unless nothing is wanted")
    func copied() throws {
        let null = try opened("/dev/null", O_WRONLY)
        #expect(plan(null.raw) == .tee && plan(null.raw, .none) == .leave)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        #expect(plan(ends[1]) == .tee)
        close(ends[0])
        close(ends[1])
    }

    @Test("a terminal is left alone, unless copying is asked for")
    func terminal() throws {
        let terminal = try opened("/dev/ptmx", O_RDWR)
        #expect(plan(terminal.raw) == .leave && plan(terminal.raw, .tee) == .tee)
    }

    @Test("a file is read from its size on, unless it cannot be opened or copying is asked for")
    func file() throws {
        try withTemporaryDirectory { home in
            let file = try opened(home + "/log", O_WRONLY | O_CREAT | O_APPEND)
            #expect(write(file.raw, "before", 6) == 6)
            let end = WrittenFile.Start(size: 6, place: nil)
            #expect(plan(file.raw) == .read(from: end) && plan(file.raw, .tee) == .tee)
            let other = try opened(home + "/log", O_RDWR)
            #expect(plan(other.raw) == .read(from: WrittenFile.Start(size: 6, place: 0)))
            // Where there is no /proc.
            #expect(StderrPlan(.auto, descriptor: file.raw, descriptors: home + "/none") == .tee)
        }
    }

    @Test("a closed one is left alone, as is what was put in its place")
    func closed() throws {
        #expect(plan(-1) == .leave && plan(-1, .tee) == .leave)
        let root = try opened("/", O_RDONLY | O_DIRECTORY)
        #expect(plan(root.raw) == .leave && plan(root.raw, .tee) == .leave)
    }

    @Test("the journal's socket is left alone where the journal can be read, and any other socket is copied")
    func journal() throws {
        try withTemporaryDirectory { home in
            var ends: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            defer { for end in ends { close(end) } }
            var facts = stat()
            fstat(ends[0], &facts)
            let machine = String(repeating: "a", count: 32)
            let invocation = String(repeating: "0f", count: 16)
            for (path, text) in [("id", machine + "\n"), ("journalctl", "#!/bin/sh\n")] {
                let file = try opened("\(home)/\(path)", O_WRONLY | O_CREAT)
                #expect(write(file.raw, text, text.utf8.count) == text.utf8.count)
                fchmod(file.raw, 0o755)
            }
            mkdir("\(home)/\(machine)", 0o700)
            var journal = JournalAccess()
            journal.stream = "\(facts.st_dev):\(facts.st_ino)"
            journal.invocation = invocation
            journal.directories = [home]
            journal.machineFile = home + "/id"
            journal.program = home + "/journalctl"
            #expect(StderrPlan(.auto, descriptor: ends[0], journal: journal) == .tee)
            _ = try opened("\(home)/\(machine)/system.journal", O_WRONLY | O_CREAT)
            #expect(StderrPlan(.auto, descriptor: ends[0], journal: journal) == .askJournal(invocation: invocation))
            #expect(StderrPlan(.auto, descriptor: ends[1], journal: journal) == .tee)
            #expect(StderrPlan(.tee, descriptor: ends[0], journal: journal) == .tee)
            journal.invocation = "--output=/x"
            #expect(StderrPlan(.auto, descriptor: ends[0], journal: journal) == .tee)
        }
    }

    @Test("of the journal's lines those of the program count, and all of the unit where it has none")
    func lines() {
        let answer = """
            {"MESSAGE":"of another","_PID":"7"}
            {"MESSAGE":"one","_PID":"42"}
            not json
            {"MESSAGE":[116,119,111,255],"_PID":"42"}
            {"MESSAGE":null,"_PID":"42"}
            """
        #expect(JournalLines.text(Array(answer.utf8), of: 42) == Array("one\ntwo".utf8) + [255, 10, 10])
        #expect(JournalLines.text(Array(answer.utf8.prefix(36)), of: 9) == Array("of another\n".utf8))
        #expect(JournalLines.text([], of: 9) == [])
    }
}

@Suite("Standard error that is a file")
struct WrittenFileTests {
    private func excerpt(
        before: String, after: String, kept: Int = 100, truncated: Bool = false
    ) throws -> StderrExcerpt {
        try withTemporaryDirectory { home in
            let path = home + "/log"
            let raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            try #require(raw >= 0)
            let file = OwnedDescriptor(adopting: raw, path: path)
            #expect(write(raw, before, before.utf8.count) == before.utf8.count)
            if truncated { ftruncate(raw, 0) }
            #expect(write(raw, after, after.utf8.count) == after.utf8.count)
            // Somebody may have renamed or removed it meanwhile.
            unlink(path)
            let start = WrittenFile.Start(size: Int64(before.utf8.count), place: nil)
            return WrittenFile.excerpt(of: file.raw, from: start, keptByteCount: kept)
        }
    }

    @Test("in a file that is written over, what is new is the program's, and the old rest behind it is not")
    func writtenOver() throws {
        try withTemporaryDirectory { home in
            let path = home + "/log"
            let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            try #require(raw >= 0)
            let file = OwnedDescriptor(adopting: raw, path: path)
            let old = String(repeating: "Fatal error: old\n", count: 10)
            #expect(write(raw, old, old.utf8.count) == old.utf8.count)
            for (place, new) in [(0, "panic: new\n"), (17, "panic: new\n"), (0, String(repeating: "x", count: 200))] {
                lseek(raw, off_t(place), SEEK_SET)
                let start = WrittenFile.Start(of: file.raw, size: Int64(old.utf8.count))
                #expect(start == .init(size: 170, place: Int64(place)))
                #expect(write(raw, new, new.utf8.count) == new.utf8.count)
                let excerpt = WrittenFile.excerpt(of: file.raw, from: start, keptByteCount: 300)
                #expect(excerpt.tail == Array(new.utf8) && excerpt.byteCount == UInt64(new.utf8.count))
            }
        }
    }

    @Test(
        "what the program has written is between where it began and where it stands, or the end",
        arguments: [
            // Appended; emptied meanwhile.
            (6, nil, 9, nil, 6..<9), (6, nil, 4, nil, 0..<4),
            // From the end on; with a program that has opened the file anew; behind a hole; and where nothing was written.
            (6, 6, 9, 9, 6..<9), (6, 6, 9, 6, 6..<9), (6, 8, 9, 9, 8..<9), (6, 8, 6, 8, 6..<6),
            // Over the old; emptied by the program, which has gone back.
            (6, 2, 6, 5, 2..<5), (6, 2, 9, 9, 2..<9), (6, 6, 4, 4, 0..<4), (6, 6, 0, 6, 0..<0),
        ] as [(Int64, Int64?, Int64, Int64?, Range<Int64>)])
    func ranges(size: Int64, place: Int64?, end: Int64, position: Int64?, written: Range<Int64>) {
        #expect(WrittenFile.Start(size: size, place: place).written(end: end, position: position) == written)
    }

    @Test("what was there before is not the program's")
    func appended() throws {
        let excerpt = try excerpt(before: "Fatal error: old\n", after: "log\nFatal error: new\n")
        #expect(excerpt.byteCount == 21 && excerpt.tail == Array("log\nFatal error: new\n".utf8))
        #expect(excerpt.headOffset == 4 && excerpt.head == Array("Fatal error: new\n".utf8))
        #expect(try self.excerpt(before: "old", after: "") == StderrExcerpt())
    }

    @Test("a file that was emptied meanwhile is read from its beginning")
    func emptied() throws {
        let excerpt = try excerpt(before: String(repeating: "x", count: 100), after: "new\n", truncated: true)
        #expect(excerpt.tail == Array("new\n".utf8))
    }

    @Test("of much the last 8 MiB are looked at, and all is counted")
    func much() throws {
        let noise = String(repeating: "0123456789abcde\n", count: (9 << 20) / 16)
        let excerpt = try excerpt(before: "", after: "panic: early\n" + noise + "panic: late\n")
        #expect(excerpt.byteCount == 13 + UInt64(noise.utf8.count) + 12)
        #expect(excerpt.headOffset == 13 + UInt64(noise.utf8.count) && excerpt.head == Array("panic: late\n".utf8))
    }
}
