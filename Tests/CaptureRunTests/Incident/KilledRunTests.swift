import DurableIO
import Foundation
import TestSupport
import Testing

@testable import CaptureRun

/// The process that watches a program is killed between any two changes of the disk, and so is the next owner.
@Suite("A run that is killed while it tells", .timeLimit(.minutes(5)))
struct KilledRunTests {
    /// Tells of a crash with a runtime's file and standard error.
    private func tell(
        _ fixture: RunFixture, files: any FileSystem, _ status: ProgramEnd.Status
    ) throws(RunTrouble) {
        let run = try fixture.make(files: files)
        fixture.startProgram(of: run)
        run.note(fixture.start)
        if status != .exited(code: 0) { try? fixture.write(RunFixture.panic, to: "\(run.path)/panic.txt") }
        _ = try run.conclude(
            fixture.end(status), of: fixture.start, RunFixture.excerpt("bye\n"), memory: fixture.memory,
            fixture.options)
    }

    /// How many changes are made before the program is started, and before its end is told.
    private func changesBefore() throws -> (start: Int, end: Int) {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            let files = FaultingFileSystem { _ throws(FileSystemError) in }
            let run = try fixture.make(files: files)
            let made = files.changes
            run.note(fixture.start)
            let noted = files.changes
            run.discard()
            return (made, noted)
        }
    }

    /// Kills a run at a change, then the owners after it at the changes given.
    /// - Returns: what is in the spool, and whether the run was over before the change.
    private func killed(
        at change: Int, _ status: ProgramEnd.Status, owners: [Int] = []
    ) throws -> (drops: [DropForTests], runs: [String], isOver: Bool, ownersAreOver: Bool) {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            fixture.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000))
            let files = FaultingFileSystem(killedAt: change)
            // A child would hold the run's lock until it has become its program.
            whileNothingStarts { try? tell(fixture, files: files, status) }
            // What a kill has left without a lock is old enough to be told from what is being made.
            fixture.clock.advance(by: 61_000)
            var ownersAreOver = true
            for change in owners {
                let files = FaultingFileSystem(killedAt: change)
                whileNothingStarts { _ = try? fixture.sweep(files: files) }
                if files.isDead { ownersAreOver = false }
            }
            _ = try fixture.sweep()
            return (try fixture.drops(), fixture.entries("runs"), !files.isDead, ownersAreOver)
        }
    }

    @Test("a crash is told of exactly once, whenever the run is killed; a program that never ran is none")
    func crash() throws {
        let before = try changesBefore()
        for change in 1... {
            let found = try killed(at: change, .signalled(6, dumpedCore: false))
            let crashes = found.drops.count { $0.kind == "crash" }
            #expect(found.runs == [], "change \(change)")
            if change > before.start {
                #expect(crashes == 1, "change \(change)")
                #expect(found.drops.count == 2, "change \(change)")
                let causes = Set(found.drops.map { $0.annotation("run.cause") })
                // Once it is written down how the program ended, that is told.
                #expect(causes == (change <= before.end + 1 ? ["lost"] : ["signal"]), "change \(change)")
            } else {
                #expect(found.drops.isEmpty, "change \(change)")
            }
            if found.isOver { break }
        }
    }

    @Test("a clean end is told of only if nobody could know that it was one")
    func cleanEnd() throws {
        let before = try changesBefore()
        for change in 1... {
            let found = try killed(at: change, .exited(code: 0))
            #expect(found.runs == [], "change \(change)")
            let isKnown = change <= before.start || change > before.end + 1
            #expect(found.drops.map(\.kind) == (isKnown ? [] : ["crash"]), "change \(change)")
            if found.isOver { break }
        }
    }

    @Test("the owner is killed while it tells of what was left, before and after the seal")
    func owners() throws {
        let before = try changesBefore()
        // At the beginning; with half of the drops made; sealed, and one drop moved.
        for change in [before.end + 1, before.end + 8, before.end + 20] {
            for second in 1... {
                let found = try killed(at: change, .signalled(6, dumpedCore: false), owners: [second, 3 * second])
                #expect(found.drops.count { $0.kind == "crash" } == 1, "changes \(change), \(second)")
                #expect(found.drops.count == 2, "changes \(change), \(second)")
                #expect(found.runs == [], "changes \(change), \(second)")
                if found.ownersAreOver { break }
            }
        }
    }

    @Test("a disk that becomes full at any change leaves the run for the next owner, with all that was known")
    func fullDisk() throws {
        let before = try changesBefore()
        for first in 1... {
            let isOver = try withTemporaryDirectory { directory in
                let fixture = RunFixture(directory)
                let files = FaultingFileSystem { call throws(FileSystemError) in
                    let takesRoom = [.makeDirectory, .create, .write].contains(call.operation)
                    guard let change = call.change, change >= first, takesRoom else { return }
                    throw FileSystemError(.write, "disk", .noSpace)
                }
                let trouble = whileNothingStarts { () -> RunTrouble? in
                    do throws(RunTrouble) {
                        try tell(fixture, files: files, .signalled(6, dumpedCore: false))
                        return nil
                    } catch { return error }
                }
                let told = try fixture.sweep().told
                let drops = try fixture.drops()
                #expect(fixture.entries("runs") == [], "change \(first)")
                #expect(drops.count { $0.kind == "crash" } == (first > before.start ? 1 : 0), "change \(first)")
                if first > before.end + 1 {
                    #expect(drops.allSatisfy { $0.annotation("run.cause") == "signal" }, "change \(first)")
                }
                if trouble != nil { #expect(told.count == (first > before.start ? 1 : 0), "change \(first)") }
                return trouble == nil
            }
            if isOver { return }
        }
    }
}
