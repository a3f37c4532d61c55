import Background
import Testing

/// What follows when a deadline or a signal cuts an attempt.
struct CutAttemptsTests {
    private static let size: Int64 = 3 << 20
    private static let rate: Int64 = 256 << 10

    /// An attempt of so many seconds whose body goes out evenly in pieces of a tenth of a second, after a buffer of
    /// this machine's has taken its share at once.
    private static func trace(
        seconds: Int64, rate: Int64 = rate, buffer: Int64 = 128 << 10, movingFor: Int64? = nil
    ) -> BodyTrace {
        var trace = BodyTrace()
        trace.requestBegan(byteCount: UInt64(size))
        for tenth in 0..<(movingFor ?? seconds) * 10 {
            trace.sent(UInt64(min(size, buffer + tenth * rate / 10)), at: tenth * 100)
        }
        return trace
    }

    private static func run(
        _ seconds: Int64, deadline: Int64? = nil, isAlone: Bool = true, wasPutOff: Bool = false
    ) -> CutAttempts.Run {
        CutAttempts.Run(
            deadline: deadline.map { $0 * 1_000 }, lasted: seconds * 1_000, now: seconds * 1_000, isAlone: isAlone,
            wasPutOff: wasPutOff)
    }

    @Test("A body that is cut twice in a row is put off, and its note says what it needs")
    func twice() {
        let first = CutAttempts().followed(by: Self.trace(seconds: 5), of: Self.size, in: Self.run(5, deadline: 5))
        #expect(first.cuts.count == 1 && !first.isPutOff && first.note == nil)
        let second = first.cuts.followed(by: Self.trace(seconds: 5), of: Self.size, in: Self.run(5, deadline: 5))
        #expect(second.cuts.count == 2 && second.isPutOff)
        #expect(second.note == "needs about 12 s at 256 KiB/s, more than the deadline of 5 s")
    }

    @Test("Without a deadline the note says how long the run lasted")
    func signal() {
        let cut = CutAttempts(count: 1).followed(by: Self.trace(seconds: 4), of: Self.size, in: Self.run(4))
        #expect(cut.isPutOff)
        #expect(cut.note == "needs about 12 s at 256 KiB/s, and the run ended after 4 s")
    }

    @Test("A pace beside others puts no body off that has not been put off before; alone, the next cut does")
    func besideOthers() {
        let beside = Self.run(5, deadline: 5, isAlone: false)
        var cut = CutAttempts()
        for count in 1...3 {
            let next = cut.followed(by: Self.trace(seconds: 5), of: Self.size, in: beside)
            #expect(next.cuts.count == count && !next.isPutOff && next.note == nil)
            cut = next.cuts
        }
        #expect(cut.followed(by: Self.trace(seconds: 5), of: Self.size, in: Self.run(5, deadline: 5)).isPutOff)
    }

    @Test("A pace beside others says nothing new about a body that was put off")
    func putOffBesideOthers() {
        let known = CutAttempts(count: 2, rate: BodyRate(byteCount: Self.rate, milliseconds: 1_000))
        let run = Self.run(5, deadline: 5, isAlone: false, wasPutOff: true)
        let next = known.followed(by: Self.trace(seconds: 5, rate: 1_000), of: Self.size, in: run)
        #expect(next.cuts == known && next.isPutOff)
    }

    @Test("A body that went out to its end is not put off, and its note says that no answer came")
    func slowServer() {
        for (deadline, note) in [
            (5, "the deadline of 5 s came before the server's answer"),
            (60, "the run ended before the server's answer"), (nil, "the run ended before the server's answer"),
        ] as [(Int64?, String)] {
            let trace = Self.trace(seconds: 5, rate: 10 << 20)
            let cut = CutAttempts(count: 1).followed(by: trace, of: Self.size, in: Self.run(5, deadline: deadline))
            #expect(cut.cuts == CutAttempts(count: 2) && !cut.isPutOff && cut.note == note)
        }
    }

    @Test("A body whose end lies in this machine's buffers goes last from the second cut on, and has a note")
    func buffered() {
        var trace = BodyTrace()
        trace.requestBegan(byteCount: 100_000)
        trace.sent(100_000, at: 10)
        var cut = CutAttempts(count: 1, rate: BodyRate(byteCount: 1, milliseconds: 1))
        for count in 2...4 {
            let next = cut.followed(by: trace, of: 100_000, in: Self.run(5, deadline: 5))
            #expect(next.cuts == CutAttempts(count: count) && !next.isPutOff && next.note != nil)
            cut = next.cuts
        }
    }

    @Test("A body that stood still for the last half of the attempt is not put off, however often")
    func outage() {
        var cut = CutAttempts()
        for _ in 0..<5 {
            let next = cut.followed(
                by: Self.trace(seconds: 5, movingFor: 2), of: Self.size, in: Self.run(5, deadline: 5))
            #expect(next.cuts.count == 1 && !next.isPutOff)
            cut = next.cuts
        }
    }

    @Test("A slow body of which a later attempt shows nothing new stays put off")
    func nothingNew() {
        let known = CutAttempts(count: 2, rate: BodyRate(byteCount: Self.rate, milliseconds: 1_000))
        for trace in [BodyTrace(), Self.trace(seconds: 5, movingFor: 1)] {
            let next = known.followed(by: trace, of: Self.size, in: Self.run(5, deadline: 5, wasPutOff: true))
            #expect(next.cuts == known && next.isPutOff)
            #expect(next.note == "needs about 12 s at 256 KiB/s, more than the deadline of 5 s")
            #expect(!known.followed(by: trace, of: Self.size, in: Self.run(5, deadline: 5)).isPutOff)
        }
    }

    @Test("Few large pieces are counted as soon as they go out, so that the time to the end is theirs, too")
    func largePieces() {
        var trace = BodyTrace()
        trace.requestBegan(byteCount: 1 << 20)
        for (sent, time) in [(100_000, 10), (200_000, 1_000), (400_000, 3_000)] as [(UInt64, Int64)] {
            trace.sent(sent, at: time)
        }
        #expect(trace.rate(at: 5_000) == BodyRate(byteCount: 300_000, milliseconds: 4_990))
    }

    @Test("The time before a body's first piece has gone out is not the body's")
    func connecting() {
        for isFine in [false, true] {
            var trace = BodyTrace()
            trace.requestBegan(byteCount: 1 << 20)
            let step = isFine ? 50 : 400
            for time in stride(from: Int64(4_000), through: 6_000, by: step) {
                trace.sent(UInt64(time - 3_900), at: time)
            }
            #expect(trace.rate(at: 6_000)?.need(for: 1_000) == 1_000)
        }
    }

    @Test("Less than a second, or a single piece, says nothing about a pace")
    func tooShort() {
        var trace = BodyTrace()
        trace.requestBegan(byteCount: 1 << 20)
        trace.sent(100_000, at: 4_000)
        #expect(trace.rate(at: 6_000) == nil)
        for step in 1...9 { trace.sent(100_000 + UInt64(step) * 1_000, at: 4_000 + Int64(step) * 100) }
        #expect(trace.rate(at: 4_999) == nil)
        #expect(trace.rate(at: 5_000) != nil)
    }

    @Test("After a cut the next attempt is watched closely")
    func watching() {
        #expect(!CutAttempts().isWatchWanted)
        #expect(CutAttempts(count: 1).isWatchWanted)
    }

    @Test("A body that would have had the time, had it begun sooner, is not put off")
    func begunTooLate() {
        let trace = Self.trace(seconds: 1, rate: 1 << 20, buffer: 0)
        let next = CutAttempts(count: 1).followed(by: trace, of: Self.size, in: Self.run(1, deadline: 5))
        #expect(next.cuts.count == 1 && !next.isPutOff && next.note == nil)
    }

    @Test("A body that has just too little time is said to need more than the deadline")
    func closeCall() {
        let trace = Self.trace(seconds: 5, rate: (3 << 20) * 10 / 51, buffer: 0)
        let next = CutAttempts(count: 1).followed(by: trace, of: Self.size, in: Self.run(5, deadline: 5))
        #expect(next.note == "needs about 6 s at 602 KiB/s, more than the deadline of 5 s")
    }

    @Test(
        "Rates and times are told in the unit that suits them",
        arguments: [
            (1, 1_000, 10, "1 B/s", 10_000), (999, 1_000, 999, "999 B/s", 1_000), (1 << 20, 1_000, 1, "1.0 MiB/s", 1),
            (1_536, 1_000, 3_072, "2 KiB/s", 2_000), (3 << 19, 1_000, 3 << 20, "1.5 MiB/s", 2_000),
            (300 << 20, 2_000, 0, "150 MiB/s", 0), (1, 3_600_000, .max, "1 B/s", .max / 2),
        ] as [(Int64, Int64, Int64, String, Int64)])
    func amounts(byteCount: Int64, milliseconds: Int64, body: Int64, text: String, need: Int64) throws {
        let rate = try #require(BodyRate(byteCount: byteCount, milliseconds: milliseconds))
        #expect(rate.text == text)
        #expect(rate.need(for: body) == need)
    }

    @Test("There is no rate without bytes, and none without time")
    func noRate() {
        #expect(BodyRate(byteCount: 0, milliseconds: 1) == nil)
        #expect(BodyRate(byteCount: 1, milliseconds: 0) == nil)
    }

    @Test(
        "Long times are told in minutes and hours",
        arguments: [(119, "119 s"), (120, "2 min"), (7_100, "118 min"), (7_200, "2 h"), (90_000, "25 h")])
    func longTimes(seconds: Int64, text: String) {
        let rate = BodyRate(byteCount: 1_000, milliseconds: 1_000)
        let cut = CutAttempts(count: 2, rate: rate).followed(
            by: BodyTrace(), of: seconds * 1_000, in: Self.run(10, deadline: 10, wasPutOff: true))
        #expect(cut.note == "needs about \(text) at 1000 B/s, more than the deadline of 10 s")
    }

    @Test("Parts that were answered count, and a request that goes out again begins at nothing")
    func parts() {
        var trace = BodyTrace()
        for part in 0..<3 {
            trace.requestBegan(byteCount: 100)
            for step in 1...4 { trace.sent(UInt64(step * 25), at: Int64(part * 400 + step * 100)) }
            if part < 2 { trace.answered() }
        }
        #expect(trace.byteCount == 300)
        #expect(trace.waitsForAnswer)
        #expect(trace.rate(at: 1_200) == BodyRate(byteCount: 150, milliseconds: 600))
        trace.sent(10, at: 1_300)
        #expect(trace.byteCount == 210 && !trace.waitsForAnswer)
    }

    @Test("However many pieces a body goes out in, its rate is that of its last half")
    func manyPieces() throws {
        var trace = BodyTrace()
        trace.requestBegan(byteCount: 1 << 40)
        for step in 1...10_000 { trace.sent(UInt64(step) * 1_000 + 1 << 20, at: Int64(step)) }
        let rate = try #require(trace.rate(at: 10_000))
        #expect(rate.need(for: 1_000_000) == 1_000)
    }
}
