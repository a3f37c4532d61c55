import Foundation
import TestSupport
import Testing

@testable import CaptureRun

/// What a wrapper asks for at the end of its program.
@Suite("The end of a run")
struct ConclusionTests {
    @Test(
        "standard error is looked up for an end that may be told of, and for no other",
        arguments: [
            (.exited(code: 0), false, 0), (.exited(code: 0), true, 1), (.exited(code: 3), false, 1),
            (.signalled(15, dumpedCore: false), false, 1),
        ] as [(ProgramEnd.Status, Bool, Int)])
    func lookUp(status: ProgramEnd.Status, leavesReport: Bool, count: Int) throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            let run = try fixture.make()
            if leavesReport { try fixture.write(RunFixture.panic, to: run.path + "/panic.txt") }
            var lookUps = 0
            func excerpt() -> StderrExcerpt {
                lookUps += 1
                return StderrExcerpt()
            }
            _ = try run.conclude(
                fixture.end(status), of: fixture.start, excerpt(), memory: fixture.memory, fixture.options)
            #expect(lookUps == count)
        }
    }

    @Test(
        "where only the machine counts kills for want of memory, the kernel has to say that this was one",
        arguments: [
            (nil, "killed"), (KernelLine(text: "drill[27]: segfault at 0", isMemoryKill: false), "killed"),
            (KernelLine(text: "Out of memory: Killed process 27 (drill)", isMemoryKill: true), "oom"),
        ] as [(KernelLine?, String)])
    func machineKills(line: KernelLine?, cause: String) throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            try FileManager.default.createDirectory(atPath: directory + "/proc", withIntermediateDirectories: true)
            try fixture.write("oom_kill 5\n", to: directory + "/proc/vmstat")
            var places = MemoryWatch.Places()
            places.processes = directory + "/proc"
            let memory = MemoryWatch(pid: 27, places)
            let run = try fixture.make()
            try fixture.write("oom_kill 6\n", to: directory + "/proc/vmstat")
            _ = try run.conclude(
                fixture.end(.signalled(9, dumpedCore: false)), of: fixture.start, StderrExcerpt(), memory: memory,
                kernel: line, fixture.options)
            let drops = try fixture.drops()
            #expect(drops.map { $0.annotation("run.cause") } == [cause])
            #expect(drops.first?.json?["kernel"]?.stringValue == line?.text)
        }
    }
}
