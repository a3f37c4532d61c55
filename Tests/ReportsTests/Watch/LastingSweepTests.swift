import DurableIO
import Foundation
import Glibc
import Reports
import TestSupport
import Testing

@testable import CaptureRun

/// Runs whose wrappers have died, in a spool over which a run lasts. After the note of the death nothing in the spool
/// tells of anything.
@Suite("A run that lasts, and what wrappers leave when they die", .timeLimit(.minutes(2)))
struct LastingSweepTests {
    /// A process that has nothing to do with the test's, and ends when it is killed.
    private final class Program {
        private let process = Process()

        init() throws {
            process.executableURL = URL(fileURLWithPath: "/bin/sleep")
            process.arguments = ["600"]
            try start(process)
        }

        deinit { kill() }

        var pid: Int32 { process.processIdentifier }

        func kill() {
            Glibc.kill(pid, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// How often a sweep has come to the record of a run, and whether the disk has space for its reports.
    private struct Disk: Sendable {
        var sweeps = 0
        var isFull = false
    }

    private func withLasting(_ body: (LastingRunHarness, Monitor<Disk>) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let disk = Monitor(Disk())
            let refuse: @Sendable (FaultingFileSystem.Call) throws(FileSystemError) -> Void = {
                call throws(FileSystemError) in
                if call.operation == .open, call.name == "run.json" { disk.withLock { $0.sweeps += 1 } }
                if call.change != nil, call.name == "making", disk.value.isFull {
                    throw FileSystemError(.create, "making", .noSpace)
                }
            }
            try await body(LastingRunHarness(directory + "/spool", refuse: refuse), disk)
        }
    }

    /// A run whose wrapper is gone, and whose program may live.
    private func leave(_ harness: SpoolHarness, _ program: Program? = nil) throws {
        var options = RunOptions()
        options.spool = harness.path
        options.command = ["/usr/bin/shopd"]
        // A child would hold the run's lock until it has become its program.
        try whileNothingStarts {
            let run = try RunDirectory.make(for: options)
            _ = Glibc.write(run.startMark, "1", 1)
            let startTicks = program.flatMap { ProcessFacts.startTicks(of: $0.pid) }
            run.note(
                ProgramStart(
                    pid: program?.pid ?? 999_999_999, startTicks: startTicks, bootID: harness.clock.bootID,
                    startedAt: harness.clock.wallMilliseconds, command: options.command, path: nil,
                    workingDirectory: nil, user: getuid(), cgroup: nil))
        }
    }

    /// Lets the time until the next try pass, and waits for that try.
    private func wait(_ nap: Int64, _ lasting: LastingRunHarness, _ disk: Monitor<Disk>) async {
        await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + nap)
        let before = disk.value.sweeps
        lasting.clock.advance(by: nap)
        await disk.wait { $0.sweeps > before }
    }

    @Test("a program that outlives its wrapper is told of as soon as it ends, and nothing wakes the run before")
    func outlives() async throws {
        try await withLasting { lasting, disk in
            let program = try Program()
            try await lasting.running {
                await lasting.rest()
                try leave(lasting.harness, program)
                await lasting.gathering { await disk.wait { $0.sweeps > 0 } }
                await lasting.rest()
                #expect(lasting.harness.sent == [])
                program.kill()
                await lasting.waitForSent(count: 1)
                await lasting.rest()
                #expect(try lasting.harness.entries("runs") == [])
            }
        }
    }

    @Test("where its end cannot be waited for, it is looked at again, ever more seldom")
    func outlivesUnseen() async throws {
        try await withLasting { lasting, disk in
            let program = try Program()
            try await lasting.running {
                $0.watching.programLimit = 0
            } _: {
                await lasting.rest()
                try leave(lasting.harness, program)
                await lasting.gathering { await disk.wait { $0.sweeps > 0 } }
                for nap: Int64 in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
                    await wait(nap, lasting, disk)
                }
                program.kill()
                await wait(60_000, lasting, disk)
                await lasting.waitForSent(count: 1)
            }
        }
    }

    @Test("what a full disk has kept from being told is told once there is space, and the trouble is said once")
    func fullDisk() async throws {
        try await withLasting { lasting, disk in
            disk.withLock { $0.isFull = true }
            try await lasting.running {
                await lasting.rest()
                try leave(lasting.harness)
                await lasting.gathering { await disk.wait { $0.sweeps > 0 } }
                for nap: Int64 in [1_000, 2_000, 4_000] { await wait(nap, lasting, disk) }
                #expect(lasting.harness.sent == [])
                disk.withLock { $0.isFull = false }
                await wait(8_000, lasting, disk)
                await lasting.waitForSent(count: 1)
                await lasting.rest()
                let troubles = lasting.events.value.filter { if case .trouble = $0 { true } else { false } }
                #expect(troubles.count == 1)
            }
        }
    }
}
