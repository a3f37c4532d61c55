import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

@Suite("Whether a process lives")
struct ProcessStateTests {
    private func isAlive(_ pid: Int32, _ ticks: UInt64?, in processes: String = "/proc") -> Bool {
        let clock = LinuxClock()
        return ProcessState.isAlive(
            pid, startTicks: ticks, bootID: clock.bootID, clock: clock, processes: processes)
    }

    @Test("it does with the time of its start, and another one of its number is another process")
    func known() throws {
        let ticks = try #require(ProcessFacts.startTicks(of: getpid()))
        #expect(isAlive(getpid(), ticks))
        #expect(!isAlive(getpid(), ticks + 1) && !isAlive(getpid(), nil))
    }

    @Test("one that may not be seen lives as long as it is there")
    func hidden() {
        // What a service with ProtectProc=invisible sees of other users' processes.
        #expect(isAlive(getpid(), 1, in: "/nonexistent"))
        #expect(isAlive(1, 1, in: "/nonexistent"))
        // More than any machine has.
        #expect(!isAlive(1 << 30, 1, in: "/nonexistent"))
    }

    @Test("one that is dead and that nobody has waited for does not")
    func zombie() throws {
        try withTemporaryDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder + "/7", withIntermediateDirectories: true)
            let fields = "S 1" + String(repeating: " 0", count: 17) + " 99 0"
            for (state, lives) in [("S", true), ("Z", false), ("X", false)] {
                let text = "7 (a) b) " + fields.replacing("S", with: state)
                try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/7/stat"))
                #expect(isAlive(7, 99, in: folder) == lives)
            }
        }
    }
}
