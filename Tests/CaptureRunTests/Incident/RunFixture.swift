import DurableIO
import Foundation
import Glibc
import SystemPackage
import TestSupport

@testable import CaptureRun

/// A spool in a directory of its own, and runs in it whose programs the test plays.
struct RunFixture {
    let spool: String
    /// Where runtimes of root's programs write if the spool is another user's.
    let reportRoom: String
    let clock = ManualClock()
    var options = RunOptions()

    init(_ directory: String) {
        spool = directory + "/spool"
        reportRoom = directory + "/room"
        options.spool = spool
        options.command = ["/srv/bin/shopd", "--port=80", "--token=SECRET"]
    }

    /// The text that Go's runtime writes when a program panics.
    static let panic = """
        panic: till is empty

        goroutine 1 [running]:
        main.checkout(...)
        \t/srv/shop/main.go:12
        main.main()
        \t/srv/shop/main.go:30 +0x1d
        exit status 2

        """

    /// Variables that nobody has asked for.
    static func variable(_ name: String) -> String? {
        ["SECRET": "SECRET", "REGION": "eu-1", "INVOCATION_ID": "0123abcd"][name]
    }

    func make(files: any FileSystem = POSIXFileSystem()) throws(RunTrouble) -> RunDirectory {
        try RunDirectory.make(
            for: options, files: files, clock: clock, reportRoom: FilePath(reportRoom), variable: Self.variable)
    }

    /// Does what the child does in the moment before it becomes the program.
    func startProgram(of run: borrowing RunDirectory) {
        _ = Glibc.write(run.startMark, "1", 1)
    }

    /// When this process started, as the kernel counts.
    static func startTicks() throws -> UInt64? {
        let stat = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
        let words = stat.split(separator: ")").last?.split(separator: " ") ?? []
        return words.count > 19 ? UInt64(words[19]) : nil
    }

    /// A process that is gone.
    var start: ProgramStart {
        ProgramStart(
            pid: 999_999_999, startTicks: 77, bootID: clock.bootID, startedAt: clock.wallMilliseconds,
            command: options.command, path: "/srv/bin/shopd", workingDirectory: "/srv", user: UserIdentity.current,
            cgroup: "/system.slice/shop.service")
    }

    func end(_ status: ProgramEnd.Status, sinceRequest: Int64? = nil) -> ProgramEnd {
        ProgramEnd(
            status, endedAt: clock.wallMilliseconds + 5_000, uptimeMilliseconds: 5_000,
            millisecondsSinceRequest: sinceRequest)
    }

    static func excerpt(_ text: String) -> StderrExcerpt { excerpt(Array(text.utf8)) }

    /// The whole of a short standard error, in which nobody has seen a mark.
    static func excerpt(_ bytes: [UInt8]) -> StderrExcerpt {
        var excerpt = StderrExcerpt()
        excerpt.byteCount = UInt64(bytes.count)
        excerpt.tail = bytes
        return excerpt
    }

    var memory: MemoryWatch { MemoryWatch(pid: 999_999_999) }

    /// Runs a program that leaves some files.
    @discardableResult
    func run(
        _ status: ProgramEnd.Status, stderr: StderrExcerpt = StderrExcerpt(), leaving files: [String: String] = [:]
    ) throws -> [String] {
        let run = try make()
        startProgram(of: run)
        run.note(start)
        for (name, text) in files { try write(text, to: "\(run.path)/\(name)") }
        return try run.conclude(end(status), of: start, stderr, memory: memory, options)
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    // MARK: - Looking

    func entries(_ room: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(spool)/\(room)")) ?? []).sorted()
    }

    func drops() throws -> [DropForTests] {
        try entries("incoming").map { try DropForTests("\(spool)/incoming/\($0)") }
    }

    /// The place in the spool, as the next owner opens it.
    func place(files: any FileSystem = POSIXFileSystem()) throws -> RunPlace {
        try RunPlace.open(spool, reportRoom: FilePath(reportRoom), files: files)
    }

    func sweep(files: (any FileSystem)? = nil, isOpenToAll: Bool = false) throws -> LeftRuns.Result {
        let place = try place(files: files ?? POSIXFileSystem())
        return LeftRuns(place, isOpenToAll: isOpenToAll, clock: clock, readStderr: Self.plainText).sweep()
    }

    /// Standard error that the test has left as it is.
    @Sendable private static func plainText(_ file: borrowing OwnedDescriptor) -> StderrExcerpt {
        excerpt((try? POSIXFileSystem().read(file, limit: 1 << 20)) ?? [])
    }
}
