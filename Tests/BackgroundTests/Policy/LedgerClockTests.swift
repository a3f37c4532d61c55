import Background
import Testing

struct LedgerClockTests {
    static let second: Int64 = 1_000
    static let day: Int64 = 86_400_000
    static let wall: Int64 = 1_767_225_600_000
    /// A ledger that has seen one day, checked ten minutes after the boot `a`.
    static let checkpoint = LedgerClock(
        bootID: "a", bootMilliseconds: 600_000, wallMilliseconds: wall, ledgerMilliseconds: day)
    /// Back a day, forward ten years, 1970, the ends of the range.
    static let jumps: [Int64] = [
        wall, wall - day, wall - 1, wall + 1, wall + 3_652 * day, 0, -1, .min, .max,
    ]

    @Test("Within a boot only the boot's own clock counts", arguments: jumps)
    func oneBoot(wall: Int64) {
        for elapsed in [0, 1, Self.second, Self.day, 400 * Self.day] {
            let now = LedgerClock.Reading(
                bootID: "a", bootMilliseconds: 600_000 + elapsed, wallMilliseconds: wall)
            #expect(Self.checkpoint.now(at: now) == Self.day + elapsed)
        }
    }

    @Test(
        "Across boots the wall clock's step counts, not backwards and a day at most",
        arguments: [
            (wall, 0), (wall + 1, 1), (wall + 3_600_000, 3_600_000), (wall + day, day), (wall + day + 1, day),
            (wall + 3_652 * day, day), (wall - day, 0), (0, 0), (.min, 0), (.max, day),
        ] as [(Int64, Int64)])
    func otherBoot(wall: Int64, step: Int64) {
        for boot in [0, 5_000, 600_000, Int64.max] {
            let now = Self.checkpoint.now(at: .init(bootID: "b", bootMilliseconds: boot, wallMilliseconds: wall))
            #expect(now == Self.day + step)
        }
    }

    @Test("After a boot the next checkpoint puts the axis on the new boot's clock", arguments: jumps)
    func advancing(wall: Int64) {
        let rebooted = Self.checkpoint.advanced(
            to: .init(bootID: "b", bootMilliseconds: 5_000, wallMilliseconds: wall))
        let later = LedgerClock.Reading(bootID: "b", bootMilliseconds: 7_000, wallMilliseconds: .min)
        #expect(rebooted.now(at: later) == rebooted.ledgerMilliseconds + 2_000)
        #expect((Self.day...2 * Self.day).contains(rebooted.ledgerMilliseconds))
    }

    @Test("A checkpoint changes nothing about the time it is taken at")
    func checkpointsAreNeutral() {
        var clock = Self.checkpoint
        for minute in 1...Int64(600) {
            let reading = LedgerClock.Reading(
                bootID: "a", bootMilliseconds: 600_000 + minute * 60_000, wallMilliseconds: minute * 7_919)
            let before = clock.now(at: reading)
            clock = clock.advanced(to: reading)
            #expect(clock.now(at: reading) == before)
            #expect(before == Self.day + minute * 60_000)
        }
    }

    @Test("A delay set before a boot is never waited for longer than once more", arguments: jumps)
    func delaysAcrossBoots(wall: Int64) {
        let delay: Int64 = 3_600_000
        let due = Self.checkpoint.ledgerMilliseconds + delay
        let rebooted = Self.checkpoint.advanced(to: .init(bootID: "b", bootMilliseconds: 0, wallMilliseconds: wall))
        #expect(due - rebooted.ledgerMilliseconds <= delay)
    }

    @Test("Ten years of clock jumps between boots are ten days, and an age limit of 30 holds")
    func noJumpExpiresAnything() {
        var clock = Self.checkpoint
        for boot in 1...Int64(10) {
            let jump = LedgerClock.Reading(
                bootID: "\(boot)", bootMilliseconds: 0, wallMilliseconds: Self.wall + boot * 365 * Self.day)
            clock = clock.advanced(to: jump)
        }
        #expect(clock.ledgerMilliseconds - Self.checkpoint.ledgerMilliseconds == 10 * Self.day)
    }

    @Test("A clock that swings between 1970 and now at each boot never goes back")
    func swinging() {
        var clock = Self.checkpoint
        for boot in 0..<20 {
            let wall = boot.isMultiple(of: 2) ? 0 : Self.wall
            let next = clock.advanced(to: .init(bootID: "boot \(boot)", bootMilliseconds: 0, wallMilliseconds: wall))
            #expect(next.ledgerMilliseconds >= clock.ledgerMilliseconds)
            #expect(next.ledgerMilliseconds - clock.ledgerMilliseconds <= Self.day)
            clock = next
        }
    }

    @Test("A boot clock that runs backwards, as it must not, stops the axis instead of turning it")
    func backwardsWithinABoot() {
        for boot in [599_999, 0, Int64.min] {
            let now = LedgerClock.Reading(bootID: "a", bootMilliseconds: boot, wallMilliseconds: .max)
            #expect(Self.checkpoint.now(at: now) == Self.day)
        }
    }

    @Test("Boots that cannot be told apart are taken for different ones")
    func unknownBoot() {
        let clock = LedgerClock(bootID: "", bootMilliseconds: 0, wallMilliseconds: 0, ledgerMilliseconds: 0)
        #expect(clock.now(at: .init(bootID: "", bootMilliseconds: 400 * Self.day, wallMilliseconds: 60_000)) == 60_000)
    }

    @Test("The axis ends where its numbers end")
    func saturates() {
        let late = LedgerClock(
            bootID: "a", bootMilliseconds: .min, wallMilliseconds: .min, ledgerMilliseconds: .max - 1)
        #expect(late.now(at: .init(bootID: "a", bootMilliseconds: .max, wallMilliseconds: 0)) == .max)
        #expect(late.now(at: .init(bootID: "b", bootMilliseconds: 0, wallMilliseconds: .max)) == .max)
    }
}
