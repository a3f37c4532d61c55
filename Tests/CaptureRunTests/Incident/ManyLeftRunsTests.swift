import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

/// A program waits until the run before it has looked at what was left.
@Suite("Many runs that were left, before a program starts", .timeLimit(.minutes(2)))
struct ManyLeftRunsTests {
    private static let count = 200

    /// A spool with many runs that stay: they look as if they were being made.
    /// Each look takes so many milliseconds.
    private func withMany(
        cost: Int64 = 1, _ body: (RunFixture, FaultingFileSystem, Monitor<[String]>) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            // Directories without a lock are rubbish when they are old.
            fixture.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            _ = try fixture.place()
            for _ in 0..<Self.count {
                #expect(mkdir("\(fixture.spool)/runs/\(UUID().uuidString.lowercased())", 0o700) == 0)
            }
            let (looks, clock) = (Monitor<[String]>([]), fixture.clock)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard call.operation == .open, call.room == "runs", let name = call.name else { return }
                looks.withLock { $0.append(name.description) }
                clock.work(for: cost)
            }
            try body(fixture, files, looks)
        }
    }

    @Test("no more are looked at than the program may wait for")
    func bounded() throws {
        try withMany { fixture, files, looks in
            try fixture.make(files: files).discard()
            // 20 ms, at 1 ms each; the last one is the run's own.
            #expect(looks.value.count == 21)
        }
    }

    @Test("each comes to its turn, though the others stay")
    func inTurn() throws {
        try withMany { fixture, files, looks in
            var starts = 0
            while Set(looks.value).count < Self.count + starts, starts < 2_000 {
                try fixture.make(files: files).discard()
                starts += 1
            }
            #expect(starts < 2_000)
        }
    }

    @Test("one that was left is told of among few that stay, however long the looks take")
    func few() throws {
        try withMany(cost: 50) { fixture, files, looks in
            let names = fixture.entries("runs")
            for name in names.dropFirst(LeftRuns.Bounds.leastLookCount - 1) {
                #expect(rmdir("\(fixture.spool)/runs/\(name)") == 0)
            }
            let left = try fixture.make()
            fixture.startProgram(of: left)
            left.note(fixture.start)
            _ = consume left
            try fixture.make(files: files).discard()
            #expect(try fixture.drops().map(\.kind) == ["crash"])
        }
    }
}
