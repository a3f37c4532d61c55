import TestSupport
import Testing

@testable import Reports

@Suite("What intake and drive tell each other")
struct HandoverTests {
    @Test("the drive has run dry only of what had come in when it began")
    func dry() {
        let handover = Handover()
        #expect(!handover.isDry)
        let version = handover.version
        handover.broughtIn()
        handover.ranDry(at: version)
        #expect(!handover.isDry)
        handover.ranDry(at: handover.version)
        #expect(handover.isDry)
        handover.broughtIn()
        #expect(!handover.isDry)
    }

    @Test("what came in while the drive was at it is more; the end is none")
    func more() async {
        let handover = Handover()
        let version = handover.version
        handover.broughtIn()
        #expect(await handover.waitForMore(than: version))
        async let more = handover.waitForMore(than: handover.version)
        handover.end()
        #expect(await !more)
    }

    @Test("what came in before the end is still sent")
    func endWithMore() async {
        let handover = Handover()
        let version = handover.version
        handover.broughtIn()
        handover.end()
        #expect(await handover.waitForMore(than: version))
    }

    @Test("the drive begins when the intake lets it, or never has to")
    func beginning() async {
        let handover = Handover()
        async let begun: Void = handover.waitForBeginning()
        handover.letDriveBegin()
        await begun
        let other = Handover()
        other.end()
        await other.waitForBeginning()
    }

    @Test("the intake waits for a change or for its time, and a change before the wait counts")
    func changes() async {
        let (handover, clock) = (Handover(), ManualClock())
        let seen = handover.changeCount
        handover.ranDry(at: 0)
        await handover.waitForChange(since: seen, atMost: 1_000, clock: clock)
        async let timed: Void = handover.waitForChange(since: handover.changeCount, atMost: 1_000, clock: clock)
        await clock.waitForSleeper(until: clock.bootMilliseconds + 1_000)
        clock.advance(by: 1_000)
        await timed
        async let ended: Void = handover.waitForChange(since: handover.changeCount, atMost: 1_000, clock: clock)
        await clock.waitForSleeper(until: clock.bootMilliseconds + 1_000)
        handover.singleDropEnded()
        await ended
    }

    @Test("a wait ends with its task")
    func cancelled() async {
        let handover = Handover()
        let drive = Task { await handover.waitForMore(than: handover.version) }
        drive.cancel()
        #expect(await !drive.value)
    }
}
