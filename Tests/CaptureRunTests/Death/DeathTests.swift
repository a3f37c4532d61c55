import Testing

@testable import CaptureRun

/// Which ends are told of, and as what.
@Suite("What a death is")
struct DeathTests {
    private func death(
        _ status: ProgramEnd.Status, sinceRequest: Int64? = nil, report: Bool = false, crash: Bool = false,
        text: Bool = false, kills: UInt64 = 0, on occasions: RunOptions.Occasions = [.crash, .file]
    ) -> Death {
        var traces = Death.Traces()
        (traces.hasReport, traces.hasCrash, traces.hasCrashText) = (report, crash, text)
        traces.memoryKills = kills
        let end = ProgramEnd(status, endedAt: 0, uptimeMilliseconds: 0, millisecondsSinceRequest: sinceRequest)
        return Death(end, traces, on: occasions)
    }

    @Test("each fault is told of", arguments: [4, 5, 6, 7, 8, 11, 24, 25, 31] as [Int32])
    func faults(signal: Int32) {
        let death = death(.signalled(signal, dumpedCore: false))
        #expect(death.isTold && death.isDeath && death.cause == .signal)
    }

    @Test("a request to end, a broken pipe and an alarm are not", arguments: [1, 2, 3, 10, 12, 13, 14, 15] as [Int32])
    func requests(signal: Int32) {
        #expect(!death(.signalled(signal, dumpedCore: false)).isTold)
        #expect(death(.signalled(signal, dumpedCore: false), on: [.kill]).isTold)
        #expect(death(.signalled(signal, dumpedCore: false), report: true).isTold)
    }

    @Test("SIGKILL is out of memory where the kernel counts, else a kill; not within 2 s after a request to end")
    func kills() {
        let kill = ProgramEnd.Status.signalled(9, dumpedCore: false)
        #expect(death(kill).cause == .killed)
        #expect(death(kill).isTold)
        #expect(death(kill, kills: 1).cause == .oom)
        #expect(!death(kill, sinceRequest: 2_000).isTold)
        #expect(death(kill, sinceRequest: 2_001).isTold)
        #expect(death(kill, sinceRequest: 0, kills: 1).isTold)
        #expect(death(kill, sinceRequest: 0, on: [.any]).isTold)
    }

    @Test("an exit status is told of with a crash behind it, or when asked for")
    func exits() {
        #expect(!death(.exited(code: 3)).isTold)
        #expect(death(.exited(code: 3), crash: true).isTold)
        #expect(death(.exited(code: 3), text: true).isTold)
        #expect(death(.exited(code: 3), sinceRequest: 5, text: true).isTold)
        #expect(death(.exited(code: 3), report: true).isTold)
        #expect(!death(.exited(code: 3), crash: true, text: true, on: [.file]).isTold)
        #expect(death(.exited(code: 3), on: [.exit]).isTold)
        #expect(!death(.exited(code: 7), kills: 1).isTold)
        #expect(death(.exited(code: 7), report: true, kills: 1).cause == .exit)
    }

    @Test("a clean end with a report is told of, and is no death")
    func cleanEnds() {
        #expect(!death(.exited(code: 0), crash: true, text: true).isTold)
        let file = death(.exited(code: 0), report: true)
        #expect(file.isTold && !file.isDeath && file.cause == .file)
        #expect(!death(.exited(code: 0), report: true, on: [.crash]).isTold)
        #expect(death(.exited(code: 0), on: [.any]).isTold)
    }

    @Test(
        "128 + the signal of a request that was passed on is an answer, whatever stands on standard error",
        arguments: [129, 130, 131, 143] as [Int32])
    func answers(code: Int32) {
        #expect(!death(.exited(code: code), sinceRequest: 60_000, text: true).isTold)
        #expect(death(.exited(code: code), text: true).isTold)
        #expect(death(.exited(code: code), sinceRequest: 5, report: true, crash: true).isTold)
        #expect(death(.exited(code: code), sinceRequest: 5, text: true, on: [.exit]).isTold)
        #expect(death(.exited(code: 139), sinceRequest: 5).isTold)
    }

    @Test(
        "a signal that a launcher has made an exit status of",
        arguments: [
            (139, 11), (134, 6), (132, 4), (245, 11), (250, 6),
        ] as [(Int32, Int32)])
    func hiddenSignals(code: Int32, signal: Int32) {
        let death = death(.exited(code: code))
        #expect(death.isTold && death.cause == .exit && death.hiddenSignal == signal)
    }

    @Test("128 + 9 is out of memory where the kernel counts, and else nothing; 128 + 15 never is")
    func hiddenKills() {
        #expect(!death(.exited(code: 137)).isTold)
        #expect(death(.exited(code: 137), kills: 1).cause == .oom)
        #expect(!death(.exited(code: 143)).isTold)
        #expect(!death(.exited(code: 246)).isTold)
    }
}
